/* Preloaded into a test's process, this answers for /dev/video42 what a webcam's driver answers: so OpenCV's own V4L2
 * code and our ioctls meet the kernel's structures, without a kernel module.
 *
 * The folder $FAKE_V4L2 says what becomes of it: without its file "plugged" the device is gone, with "busy" another
 * program streams, with "denied" it may not be opened, with "stalled" it sends nothing, with "hung" a call for a picture
 * does not return, with "backwards" its pictures' times fall. It has YUYV 640x480 at 30 and 1280x720 at 10 frames a
 * second, and the same sizes as MJPG, both at 30, from the files 640.jpg and 1280.jpg, whatever these hold; the file
 * "rate" has another number of frames a second. The file "slept" has the seconds by which the wall clock, and the one
 * that goes on while the computer sleeps, are ahead.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIZE (4 << 20)
#define BUFFERS 8

static int device = -1; /* descriptor of the program that has the buffers */
static int width = 640, height = 480, rate = 30, count, streaming, queue[BUFFERS], queued, sent;
static unsigned format = V4L2_PIX_FMT_YUYV;

static int is_there(const char *name) {
    char path[4096];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", getenv("FAKE_V4L2"), name);
    return stat(path, &status) == 0;
}

static int number_in(const char *name, int otherwise) {
    char path[4096];
    int number = otherwise;
    snprintf(path, sizeof path, "%s/%s", getenv("FAKE_V4L2"), name);
    FILE *file = fopen(path, "r");
    if (!file) return otherwise;
    if (fscanf(file, "%d", &number) != 1) number = otherwise;
    fclose(file);
    return number;
}

static int fail(int error) {
    errno = error;
    return -1;
}

static int is_ours(int fd) {
    char path[64], target[256] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return readlink(path, target, sizeof target - 1) > 0 && strstr(target, "fake-video42") != NULL;
}

static int open_device(void) {
    if (!is_there("plugged")) return fail(ENOENT);
    if (is_there("denied")) return fail(EACCES);
    int fd = memfd_create("fake-video42", MFD_CLOEXEC);
    if (ftruncate(fd, (off_t)SIZE * BUFFERS) != 0) return -1;
    return fd;
}

#define OPEN(name)                                                                     \
    int name(const char *path, int flags, ...) {                                       \
        va_list list;                                                                  \
        va_start(list, flags);                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;        \
        va_end(list);                                                                  \
        const char *end = strrchr(path, '/');                                          \
        if (end && strcmp(end, "/video42") == 0) return open_device();                 \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);                 \
        return real(path, flags, mode);                                                \
    }
OPEN(open)
OPEN(open64)
OPEN(__open_2)
OPEN(__open64_2)

static int rate_of(unsigned fourcc, int w) { return fourcc == V4L2_PIX_FMT_YUYV && w == 1280 ? 10 : 30; }

static void wait_for_picture(void) { /* at most one waits for whoever is late */
    static long long due_ns;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long now_ns = now.tv_sec * 1000000000LL + now.tv_nsec, period_ns = 1000000000LL / number_in("rate", rate);
    due_ns += period_ns;
    if (due_ns < now_ns || due_ns > now_ns + period_ns) due_ns = now_ns;
    usleep((due_ns - now_ns) / 1000);
}

static void set_format(struct v4l2_pix_format *pix) {
    if (pix->pixelformat != V4L2_PIX_FMT_MJPEG) pix->pixelformat = V4L2_PIX_FMT_YUYV;
    pix->width = pix->width > 960 ? 1280 : 640;
    pix->height = pix->width == 1280 ? 720 : 480;
    pix->field = V4L2_FIELD_NONE;
    pix->bytesperline = pix->pixelformat == V4L2_PIX_FMT_YUYV ? pix->width * 2 : 0;
    pix->sizeimage = pix->width * pix->height * 2;
}

static unsigned fill(void *data) {
    if (format == V4L2_PIX_FMT_YUYV) { /* a mid grey */
        memset(data, 128, (size_t)width * height * 2);
        return width * height * 2;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/%d.jpg", getenv("FAKE_V4L2"), width);
    FILE *file = fopen(path, "rb");
    unsigned length = fread(data, 1, SIZE, file);
    fclose(file);
    return length;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (!is_ours(fd)) {
        int (*real)(int, unsigned long, void *) = dlsym(RTLD_NEXT, "ioctl");
        return real(fd, request, argument);
    }
    if (!is_there("plugged")) return fail(ENODEV);
    switch ((unsigned)request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *capability = argument;
        memset(capability, 0, sizeof *capability);
        strcpy((char *)capability->card, "Fake webcam");
        capability->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        capability->capabilities = capability->device_caps | V4L2_CAP_META_CAPTURE | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *description = argument;
        if (description->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || description->index > 1) return fail(EINVAL);
        description->pixelformat = description->index ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
        return 0;
    }
    case VIDIOC_ENUM_FRAMESIZES: {
        struct v4l2_frmsizeenum *size = argument;
        if (size->index > 1) return fail(EINVAL);
        size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        size->discrete.width = size->index ? 1280 : 640;
        size->discrete.height = size->index ? 720 : 480;
        return 0;
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
        struct v4l2_frmivalenum *interval = argument;
        if (interval->index > 0) return fail(EINVAL);
        interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        interval->discrete.numerator = 1;
        interval->discrete.denominator = rate_of(interval->pixel_format, interval->width);
        return 0;
    }
    case VIDIOC_G_FMT:
    case VIDIOC_TRY_FMT:
    case VIDIOC_S_FMT: {
        struct v4l2_format *form = argument;
        if (form->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
        if (request == VIDIOC_G_FMT) {
            form->fmt.pix.width = width;
            form->fmt.pix.height = height;
            form->fmt.pix.pixelformat = format;
        }
        set_format(&form->fmt.pix);
        if (request == VIDIOC_S_FMT) {
            if (count) return fail(EBUSY); /* as uvcvideo does while there are buffers */
            width = form->fmt.pix.width, height = form->fmt.pix.height, format = form->fmt.pix.pixelformat;
            rate = rate_of(format, width);
        }
        return 0;
    }
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
        struct v4l2_streamparm *parameters = argument;
        if (parameters->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
        parameters->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        parameters->parm.capture.timeperframe.numerator = 1;
        parameters->parm.capture.timeperframe.denominator = rate;
        return 0;
    }
    case VIDIOC_G_INPUT:
        *(int *)argument = 0;
        return 0;
    case VIDIOC_S_INPUT:
        return 0;
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *buffers = argument;
        if (is_there("busy") || (device >= 0 && device != fd && is_ours(device))) return fail(EBUSY);
        if (buffers->count > BUFFERS) buffers->count = BUFFERS;
        count = buffers->count, queued = 0;
        device = count ? fd : -1;
        return 0;
    }
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = argument;
        if ((int)buffer->index >= count) return fail(EINVAL);
        buffer->length = SIZE;
        buffer->m.offset = SIZE * buffer->index;
        return 0;
    }
    case VIDIOC_QBUF:
        queue[queued++ % BUFFERS] = ((struct v4l2_buffer *)argument)->index;
        return 0;
    case VIDIOC_DQBUF: {
        struct v4l2_buffer *buffer = argument;
        if (!streaming || queued == 0) return fail(EINVAL);
        wait_for_picture();
        while (is_there("hung")) usleep(2000);
        if (!is_there("plugged")) return fail(ENODEV);
        if (is_there("stalled")) return fail(EAGAIN);
        int index = queue[0];
        memmove(queue, queue + 1, sizeof queue - sizeof *queue);
        queued--;
        void *data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)SIZE * index);
        buffer->bytesused = fill(data);
        munmap(data, SIZE);
        buffer->index = index;
        buffer->length = SIZE;
        buffer->timestamp.tv_sec = is_there("backwards") ? 100000 - sent : sent;
        sent++;
        return 0;
    }
    case VIDIOC_STREAMON:
        streaming = 1;
        return 0;
    case VIDIOC_STREAMOFF:
        streaming = 0, queued = 0;
        return 0;
    default:
        return fail(ENOTTY);
    }
}

int select(int nfds, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *timeout) {
    for (int fd = 0; reads && timeout && fd < nfds; fd++) {
        if (!FD_ISSET(fd, reads) || !is_ours(fd)) continue;
        for (long left_ms = timeout->tv_sec * 1000 + timeout->tv_usec / 1000; is_there("stalled"); left_ms -= 2) {
            if (!is_there("plugged")) return 1;
            if (left_ms <= 0) return 0;
            usleep(2000);
        }
    }
    int (*real)(int, fd_set *, fd_set *, fd_set *, struct timeval *) = dlsym(RTLD_NEXT, "select");
    return real(nfds, reads, writes, errors, timeout);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME) now->tv_sec += number_in("slept", 0);
    return result;
}
