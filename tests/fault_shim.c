/* Faults of the disk, made to order: preloaded before a process, it counts what the process asks of the files
 * below one folder, and at the n-th time kills the process or lets the call fail.
 *
 * Python's own hooks see what Python opens; this sees the calls of GDAL, SQLite and Arrow as well. Nothing
 * happens until fault_arm is called.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MAKE = 1, WRITE = 2, SYNC = 4, RENAME = 8, REMOVE = 16, OPEN = 32, READ = 64 };
enum { OFF, COUNT, KILL, TEAR, FAIL_ONCE, FAIL_ON, CLOCK };

static char root[PATH_MAX];
static size_t root_length;
static int how = OFF, kinds, error_number;
static long at_call, shift_s;
static atomic_long *calls; /* shared with the copies that a process makes of itself */
static int log_file = -1;

/* Watch a folder: from the n-th call of these kinds on (or at it alone) do what is asked. */
void fault_arm(const char *folder, int mode, int of_kinds, long n, int error, long seconds, int log)
{
    strncpy(root, folder, sizeof root - 1);
    root_length = strlen(root);
    kinds = of_kinds, at_call = n, error_number = error, shift_s = seconds, log_file = log;
    if (calls == NULL)
        calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    atomic_store(calls, 0);
    how = mode;
}

long fault_calls(void) { return atomic_load(calls); }

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); for (;;) pause(); }

/* Return whether a call is to fail; kill where it is to kill. `torn` says that half of it has been done. */
static int asked(int kind)
{
    if (how == OFF || !(kind & kinds)) return 0;
    long n = atomic_fetch_add(calls, 1) + 1;
    if (log_file >= 0) { char c = 'a' + (char)__builtin_ctz(kind); syscall(SYS_write, log_file, &c, 1); }
    if (how == KILL && n == at_call) die();
    if ((how == FAIL_ONCE && n == at_call) || (how == FAIL_ON && n >= at_call)) { errno = error_number; return 1; }
    return 0;
}

static int torn(void) { return how == TEAR && atomic_load(calls) == at_call; }

static int below(const char *path)
{
    char whole[PATH_MAX];
    if (how == OFF || path == NULL) return 0;
    if (path[0] != '/') {
        if (syscall(SYS_getcwd, whole, sizeof whole) < 0) return 0;
        return strncmp(whole, root, root_length) == 0;
    }
    return strncmp(path, root, root_length) == 0;
}

static int below_at(int folder, const char *path)
{
    char link[64], whole[PATH_MAX];
    if (how == OFF || path == NULL) return 0;
    if (path[0] == '/' || folder == AT_FDCWD) return below(path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, whole, sizeof whole - 1);
    return length > 0 && strncmp(whole, root, root_length) == 0;
}

static int inside(int file) { return how != OFF && file > 2 && file != log_file && below_at(file, ""); }

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)

static int kind_of(int flags) { return flags & (O_CREAT | O_TRUNC) ? MAKE : flags & (O_WRONLY | O_RDWR) ? 0 : OPEN; }

#define OPENED(name)                                                            \
    int name(const char *path, int flags, ...)                                  \
    {                                                                           \
        REAL(name);                                                             \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        if (below(path) && asked(kind_of(flags))) return -1;                    \
        return real(path, flags, mode);                                         \
    }
OPENED(open)
OPENED(open64)

#define OPENED_AT(name)                                                         \
    int name(int folder, const char *path, int flags, ...)                      \
    {                                                                           \
        REAL(name);                                                             \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        if (below_at(folder, path) && asked(kind_of(flags))) return -1;         \
        return real(folder, path, flags, mode);                                 \
    }
OPENED_AT(openat)
OPENED_AT(openat64)

#define FOPENED(name)                                                           \
    FILE *name(const char *path, const char *mode)                              \
    {                                                                           \
        REAL(name);                                                             \
        if (below(path) && asked(mode[0] == 'r' ? OPEN : MAKE)) return NULL;    \
        return real(path, mode);                                                \
    }
FOPENED(fopen)
FOPENED(fopen64)

size_t fwrite(const void *data, size_t size, size_t count, FILE *file)
{
    REAL(fwrite);
    if (how != OFF && inside(fileno(file))) {
        if (asked(WRITE)) return 0;
        if (torn()) { real(data, 1, size * count / 2, file); fflush(file); die(); }
    }
    return real(data, size, count, file);
}

size_t fread(void *data, size_t size, size_t count, FILE *file)
{
    REAL(fread);
    if (how != OFF && inside(fileno(file)) && asked(READ)) return 0;
    return real(data, size, count, file);
}

ssize_t write(int file, const void *data, size_t size)
{
    REAL(write);
    if (inside(file)) {
        if (asked(WRITE)) return -1;
        if (torn()) { real(file, data, size / 2); die(); }
    }
    return real(file, data, size);
}

#define PWRITTEN(name, offset_t)                                                \
    ssize_t name(int file, const void *data, size_t size, offset_t at)          \
    {                                                                           \
        REAL(name);                                                             \
        if (inside(file)) {                                                     \
            if (asked(WRITE)) return -1;                                        \
            if (torn()) { real(file, data, size / 2, at); die(); }              \
        }                                                                       \
        return real(file, data, size, at);                                      \
    }
PWRITTEN(pwrite, off_t)
PWRITTEN(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *parts, int count)
{
    REAL(writev);
    if (inside(file)) {
        if (asked(WRITE)) return -1;
        if (torn()) { real(file, parts, 1); die(); }
    }
    return real(file, parts, count);
}

ssize_t sendfile(int out, int in, off_t *at, size_t size)
{
    REAL(sendfile);
    if (inside(out)) {
        if (asked(WRITE)) return -1;
        if (torn()) { real(out, in, at, size / 2); die(); }
    }
    return real(out, in, at, size);
}

ssize_t sendfile64(int out, int in, off64_t *at, size_t size)
{
    REAL(sendfile64);
    if (inside(out)) {
        if (asked(WRITE)) return -1;
        if (torn()) { real(out, in, at, size / 2); die(); }
    }
    return real(out, in, at, size);
}

ssize_t read(int file, void *data, size_t size)
{
    REAL(read);
    if (inside(file) && asked(READ)) return -1;
    return real(file, data, size);
}

#define PREAD(name, offset_t)                                                   \
    ssize_t name(int file, void *data, size_t size, offset_t at)                \
    {                                                                           \
        REAL(name);                                                             \
        if (inside(file) && asked(READ)) return -1;                             \
        return real(file, data, size, at);                                      \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define FILE_CALL(name, kind)                                                   \
    int name(int file)                                                          \
    {                                                                           \
        REAL(name);                                                             \
        if (inside(file)) {                                                     \
            if (asked(kind)) return -1;                                         \
            if (torn()) { real(file); die(); }                                  \
        }                                                                       \
        return real(file);                                                      \
    }
FILE_CALL(fsync, SYNC)
FILE_CALL(fdatasync, SYNC)

#define CUT(name, offset_t)                                                     \
    int name(int file, offset_t size)                                           \
    {                                                                           \
        REAL(name);                                                             \
        if (inside(file) && asked(WRITE)) return -1;                            \
        return real(file, size);                                                \
    }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

#define PATH_CALL(name, kind)                                                   \
    int name(const char *path)                                                  \
    {                                                                           \
        REAL(name);                                                             \
        if (below(path)) {                                                      \
            if (asked(kind)) return -1;                                         \
            if (torn()) { real(path); die(); }                                  \
        }                                                                       \
        return real(path);                                                      \
    }
PATH_CALL(unlink, REMOVE)
PATH_CALL(rmdir, REMOVE)

int unlinkat(int folder, const char *path, int flags)
{
    REAL(unlinkat);
    if (below_at(folder, path)) {
        if (asked(REMOVE)) return -1;
        if (torn()) { real(folder, path, flags); die(); }
    }
    return real(folder, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    if (below(path)) {
        if (asked(MAKE)) return -1;
        if (torn()) { real(path, mode); die(); }
    }
    return real(path, mode);
}

int rename(const char *old, const char *new)
{
    REAL(rename);
    if (below(new)) {
        if (asked(RENAME)) return -1;
        if (torn()) { real(old, new); die(); }
    }
    return real(old, new);
}

int renameat(int from, const char *old, int to, const char *new)
{
    REAL(renameat);
    if (below_at(to, new)) {
        if (asked(RENAME)) return -1;
        if (torn()) { real(from, old, to, new); die(); }
    }
    return real(from, old, to, new);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
    REAL(renameat2);
    if (below_at(to, new)) {
        if (asked(RENAME)) return -1;
        if (torn()) { real(from, old, to, new, flags); die(); }
    }
    return real(from, old, to, new, flags);
}

static int jumped(void) { return how == CLOCK && atomic_load(calls) >= at_call; }

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int done = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME && jumped()) now->tv_sec += shift_s;
    return done;
}

time_t time(time_t *into)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict into, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    into->tv_sec = now.tv_sec, into->tv_usec = now.tv_nsec / 1000;
    return 0;
}
