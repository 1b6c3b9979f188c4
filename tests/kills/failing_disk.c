/* A disk that fails at a chosen moment, for a process that this library is preloaded into.

   Counts what the process does to one folder (opening to write, writing, syncing, renaming, linking, deleting, making
   folders) and fails the n-th of that, and by choice what comes after it:

       void failing_disk_arm(const char *folder, long nth, int error, int lasting);   nth 0: count only
       long failing_disk_count(void);                                                  since it was armed
       const char *failing_disk_failed(void);                                          "write metrics.csv"; "" if none

   A full disk (ENOSPC) that lasts still renames and deletes, and takes the first half of the write that it fails. One
   that has become read-only (EROFS) does nothing at all. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[4096], failed[4200];
static long nth, done;
static int error, lasting;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void failing_disk_arm(const char *path, long number, int code, int goes_on)
{
    snprintf(folder, sizeof folder, "%s", path);
    failed[0] = '\0';
    nth = number, done = 0, error = code, lasting = goes_on;
}

long failing_disk_count(void) { return done; }
const char *failing_disk_failed(void) { return failed; }

static int is_inside(const char *path)
{
    size_t length = strlen(folder);
    return length && path && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Whether this is to fail. takes_space: what a full disk cannot do. */
static int fails(const char *deed, const char *path, int takes_space)
{
    if (!is_inside(path))
        return 0;
    done++;
    int is_it = done == nth, is_later = nth && done > nth && lasting && (error != ENOSPC || takes_space);
    if (!is_it && !is_later)
        return 0;
    if (is_it)
        snprintf(failed, sizeof failed, "%s %s", deed, path + strlen(folder) + (path[strlen(folder)] == '/'));
    errno = error;
    return 1;
}

static int fails_fd(const char *deed, int fd)
{
    char link[64], path[4096];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0)
        return 0;
    path[length] = '\0';
    return fails(deed, path, 1);
}

static int writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }

static int refuses(const char *path, int flags)
{
    return writes(flags) && fails("open", path, access(path, F_OK) != 0);
}

#define OPENS(name)                                            \
    int name(const char *path, int flags, ...)                 \
    {                                                          \
        va_list list;                                          \
        va_start(list, flags);                                 \
        mode_t mode = va_arg(list, mode_t);                    \
        va_end(list);                                          \
        return refuses(path, flags) ? -1 : REAL(name)(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                         \
    int name(int at, const char *path, int flags, ...)         \
    {                                                          \
        va_list list;                                          \
        va_start(list, flags);                                 \
        mode_t mode = va_arg(list, mode_t);                    \
        va_end(list);                                          \
        return refuses(path, flags) ? -1 : REAL(name)(at, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

ssize_t write(int fd, const void *bytes, size_t size)
{
    long before = done;
    if (!fails_fd("write", fd))
        return REAL(write)(fd, bytes, size);
    if (error == ENOSPC && lasting && size > 1 && before + 1 == nth)
        return REAL(write)(fd, bytes, size / 2);
    errno = error;
    return -1;
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t size)
{
    ssize_t (*real)(int, int, off64_t *, size_t) = dlsym(RTLD_NEXT, "sendfile64");
    return fails_fd("copy", out) ? -1 : real(out, in, offset, size);
}

int fsync(int fd) { return fails_fd("sync", fd) ? -1 : REAL(fsync)(fd); }

int rename(const char *from, const char *to) { return fails("rename", to, 0) ? -1 : REAL(rename)(from, to); }

int link(const char *from, const char *to) { return fails("link", to, 1) ? -1 : REAL(link)(from, to); }

int linkat(int at, const char *from, int to_at, const char *to, int flags)
{
    return fails("link", to, 1) ? -1 : REAL(linkat)(at, from, to_at, to, flags);
}

int unlink(const char *path) { return fails("delete", path, 0) ? -1 : REAL(unlink)(path); }

int mkdir(const char *path, mode_t mode) { return fails("make", path, 1) ? -1 : REAL(mkdir)(path, mode); }

int rmdir(const char *path) { return fails("remove", path, 0) ? -1 : REAL(rmdir)(path); }
