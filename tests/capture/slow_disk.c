/* A disk that is slow beyond measure: while SLOW_DISK/hold is there, writing to files in SLOW_DISK waits.
   Preloaded into the process; built by test_slow_disk.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t write(int fd, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    const char *folder = getenv("SLOW_DISK");
    char link[64], path[PATH_MAX], hold[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (folder && length > 0 && !strncmp(path, folder, strlen(folder))) {
        snprintf(hold, sizeof hold, "%s/hold", folder);
        while (!access(hold, F_OK)) usleep(2000);
    }
    return real(fd, data, size);
}
