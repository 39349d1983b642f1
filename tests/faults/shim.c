/* Preloaded into a process: counts the calls that change files below one folder, records them, and lets the N-th
 * of them fail, stop half way, or be the last thing that the process does.
 *
 * Every call goes to the kernel by syscall(2), so nothing has to be looked up. One lock around each call makes
 * the order of the record the order of the disk.
 *
 * A record: struct Record, then its bytes: the path, the second path, the data. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum What { CREATE = 1, WRITE, SYNC, RENAME, UNLINK, TRUNCATE, LINK, MKDIR, RMDIR, MAPPED, ALLOCATE };
enum How { NOTHING, IO_ERROR, FULL, SHORT, KILL, TORN };

struct Record {
  uint32_t magic, what;
  uint64_t node, offset, length; /* the inode; where, and how much or how long */
  uint32_t path, other, data;    /* bytes that follow */
  uint32_t zero;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[4096];
static size_t root_length;
static int record_to = -1;
static long count, fail_at;
static enum How how;

/* What a test calls, by ctypes. `below` is absolute and without links; an empty one ends it. */
void shim_watch(const char *below, int record, long at, int fault) {
  pthread_mutex_lock(&lock);
  snprintf(root, sizeof root, "%s", below);
  root_length = strlen(root);
  record_to = record;
  count = 0;
  fail_at = at;
  how = (enum How)fault;
  pthread_mutex_unlock(&lock);
}

long shim_count(void) {
  return count;
}

static int is_below(const char *path) {
  return root_length > 0 && strncmp(path, root, root_length) == 0 &&
         (path[root_length] == '/' || path[root_length] == '\0');
}

static const char *link_of(const char *proc, char *path, size_t room) {
  const long length = syscall(SYS_readlinkat, AT_FDCWD, proc, path, room - 1);
  path[length < 0 ? 0 : length] = '\0';
  return path;
}

/* The absolute path of an open file, or "". */
static const char *path_of(int fd, char *path, size_t room) {
  char proc[64];
  snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
  return link_of(proc, path, room);
}

/* The absolute path of a name that was given. */
static const char *absolute(int folder, const char *name, char *path, size_t room) {
  char top[4096];
  if (name[0] == '/')
    snprintf(path, room, "%s", name);
  else
    snprintf(path, room, "%s/%s",
             folder == AT_FDCWD ? link_of("/proc/self/cwd", top, sizeof top) : path_of(folder, top, sizeof top), name);
  return path;
}

static void put(const void *bytes, size_t length, struct iovec *to) {
  to->iov_base = (void *)bytes;
  to->iov_len = length;
}

static void record(enum What what, uint64_t node, uint64_t offset, uint64_t length, const char *path, const char *other,
                   const void *data) {
  if (record_to < 0) return;
  const size_t bytes = data ? length : 0;
  const struct Record head = {0x4c4f4f4b, what, node, offset, length, (uint32_t)strlen(path), (uint32_t)strlen(other),
                              (uint32_t)bytes, 0};
  struct iovec parts[4];
  put(&head, sizeof head, &parts[0]);
  put(path, head.path, &parts[1]);
  put(other, head.other, &parts[2]);
  put(data, bytes, &parts[3]);
  const int before = errno;
  const long all = (long)(sizeof head + head.path + head.other + bytes);
  if (syscall(SYS_writev, record_to, parts, 4) != all) raise(SIGABRT); /* a record with holes proves nothing */
  errno = before;
}

static void die(void) {
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;) pause();
}

/* Before a call below the root, under the lock: its fault, if it has one. */
static enum How fault_of(enum What what) {
  ++count;
  if (how == NOTHING || count < fail_at) return NOTHING;
  if (how == FULL) /* from then on */
    return what == CREATE || what == WRITE || what == MKDIR || what == LINK || what == ALLOCATE ? FULL : NOTHING;
  if (count > fail_at) return NOTHING;
  if (how == KILL) die();
  return how;
}

/* The end of a call that is not a write. */
static long refuse(enum How fault) {
  pthread_mutex_unlock(&lock);
  errno = fault == FULL ? ENOSPC : EIO;
  return -1;
}

static uint64_t node_at(const char *path) {
  struct stat status;
  return fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_ino : 0;
}

static uint64_t node_of(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

#define REFUSED(fault) ((fault) == IO_ERROR || (fault) == FULL)

/* A call on paths: `call` is made, recorded where it succeeds, and the last where it is to be TORN. */
#define ON_PATHS(what, below, node, path, other, call)        \
  do {                                                        \
    pthread_mutex_lock(&lock);                                \
    if (!(below)) {                                           \
      pthread_mutex_unlock(&lock);                            \
      return call;                                            \
    }                                                         \
    const enum How fault = fault_of(what);                    \
    if (REFUSED(fault)) return refuse(fault);                 \
    const long result = call;                                 \
    if (result >= 0) record(what, node, 0, 0, path, other, 0); \
    if (fault == TORN) die();                                 \
    pthread_mutex_unlock(&lock);                              \
    return result;                                            \
  } while (0)

static int open_at(int folder, const char *name, int flags, mode_t mode) {
  char path[8192];
  absolute(folder, name, path, sizeof path);
  if (!(flags & (O_CREAT | O_TRUNC)) || !is_below(path)) return syscall(SYS_openat, folder, name, flags, mode);
  pthread_mutex_lock(&lock);
  const enum How fault = fault_of(CREATE);
  if (REFUSED(fault)) return refuse(fault);
  const uint64_t before = node_at(path);
  const int fd = syscall(SYS_openat, folder, name, flags, mode);
  if (fd >= 0 && before == 0) record(CREATE, node_of(fd), 0, 0, path, "", 0);
  if (fd >= 0 && before != 0 && flags & O_TRUNC) record(TRUNCATE, before, 0, 0, path, "", 0);
  if (fault == TORN) die();
  pthread_mutex_unlock(&lock);
  return fd;
}

#define MODE(flags, last)                              \
  mode_t mode = 0;                                     \
  if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) { \
    va_list more;                                      \
    va_start(more, last);                              \
    mode = va_arg(more, mode_t);                       \
    va_end(more);                                      \
  }

int open(const char *name, int flags, ...) {
  MODE(flags, flags)
  return open_at(AT_FDCWD, name, flags, mode);
}
int open64(const char *name, int flags, ...) {
  MODE(flags, flags)
  return open_at(AT_FDCWD, name, flags, mode);
}
int openat(int folder, const char *name, int flags, ...) {
  MODE(flags, flags)
  return open_at(folder, name, flags, mode);
}
int openat64(int folder, const char *name, int flags, ...) {
  MODE(flags, flags)
  return open_at(folder, name, flags, mode);
}
int creat(const char *name, mode_t mode) {
  return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* `offset` is -1 for a write at the file's own. */
static ssize_t write_at(int fd, const void *data, size_t length, off_t offset) {
  char path[8192];
  const int own = offset < 0;
  if (root_length == 0 || !is_below(path_of(fd, path, sizeof path)))
    return own ? syscall(SYS_write, fd, data, length) : syscall(SYS_pwrite64, fd, data, length, offset);
  pthread_mutex_lock(&lock);
  const enum How fault = fault_of(WRITE);
  if (REFUSED(fault)) return refuse(fault);
  if (fault != NOTHING) length = (length + 1) / 2;
  struct stat status;
  const int appends = syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND && fstat(fd, &status) == 0;
  const off_t where = appends ? status.st_size : own ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : offset;
  const ssize_t written = own ? syscall(SYS_write, fd, data, length) : syscall(SYS_pwrite64, fd, data, length, offset);
  if (written > 0) record(WRITE, node_of(fd), where, written, path, "", data);
  if (fault == TORN) die();
  pthread_mutex_unlock(&lock);
  return written;
}

ssize_t write(int fd, const void *data, size_t length) {
  return write_at(fd, data, length, -1);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  return write_at(fd, data, length, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
  return write_at(fd, data, length, offset);
}
/* A vector may be written in part: the first of its parts alone. */
ssize_t writev(int fd, const struct iovec *parts, int n) {
  char path[8192];
  if (root_length == 0 || n < 1 || !is_below(path_of(fd, path, sizeof path))) return syscall(SYS_writev, fd, parts, n);
  return write_at(fd, parts[0].iov_base, parts[0].iov_len, -1);
}

static int sync_of(int fd, int number) {
  char path[8192];
  ON_PATHS(SYNC, is_below(path_of(fd, path, sizeof path)), node_of(fd), path, "", (int)syscall(number, fd));
}
int fsync(int fd) {
  return sync_of(fd, SYS_fsync);
}
int fdatasync(int fd) {
  return sync_of(fd, SYS_fdatasync);
}

static int truncate_to(int fd, const char *path, off_t length) {
  const enum How fault = fault_of(TRUNCATE);
  if (REFUSED(fault)) return refuse(fault);
  const int result = syscall(SYS_ftruncate, fd, length);
  if (result == 0) record(TRUNCATE, node_of(fd), 0, length, path, "", 0);
  if (fault == TORN) die();
  pthread_mutex_unlock(&lock);
  return result;
}
int ftruncate(int fd, off_t length) {
  char path[8192];
  if (root_length == 0 || !is_below(path_of(fd, path, sizeof path))) return syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&lock);
  return truncate_to(fd, path, length);
}
int ftruncate64(int fd, off_t length) {
  return ftruncate(fd, length);
}

int fallocate(int fd, int mode, off_t offset, off_t length) {
  char path[8192];
  ON_PATHS(ALLOCATE, is_below(path_of(fd, path, sizeof path)), node_of(fd), path, "",
           (int)syscall(SYS_fallocate, fd, mode, offset, length));
}
int fallocate64(int fd, int mode, off_t offset, off_t length) {
  return fallocate(fd, mode, offset, length);
}
int posix_fallocate(int fd, off_t offset, off_t length) {
  return fallocate(fd, 0, offset, length) == 0 ? 0 : errno;
}
int posix_fallocate64(int fd, off_t offset, off_t length) {
  return posix_fallocate(fd, offset, length);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  char path[8192], other[8192];
  absolute(from_folder, from, path, sizeof path);
  absolute(to_folder, to, other, sizeof other);
  ON_PATHS(RENAME, is_below(path) || is_below(other), node_at(other), path, other,
           (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  return renameat2(from_folder, from, to_folder, to, 0);
}
int rename(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  char path[8192], other[8192];
  absolute(from_folder, from, path, sizeof path);
  absolute(to_folder, to, other, sizeof other);
  ON_PATHS(LINK, is_below(other), node_at(other), path, other,
           (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
int link(const char *from, const char *to) {
  return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int folder, const char *name, int flags) {
  char path[8192];
  absolute(folder, name, path, sizeof path);
  ON_PATHS(flags & AT_REMOVEDIR ? RMDIR : UNLINK, is_below(path), 0, path, "",
           (int)syscall(SYS_unlinkat, folder, name, flags));
}
int unlink(const char *name) {
  return unlinkat(AT_FDCWD, name, 0);
}
int rmdir(const char *name) {
  return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int mkdirat(int folder, const char *name, mode_t mode) {
  char path[8192];
  absolute(folder, name, path, sizeof path);
  ON_PATHS(MKDIR, is_below(path), node_at(path), path, "", (int)syscall(SYS_mkdirat, folder, name, mode));
}
int mkdir(const char *name, mode_t mode) {
  return mkdirat(AT_FDCWD, name, mode);
}

/* Not a fault's place: what is mapped for writing changes without a call, and must be known. */
void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
  char path[8192];
  if (fd >= 0 && root_length > 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE) &&
      is_below(path_of(fd, path, sizeof path))) {
    pthread_mutex_lock(&lock);
    record(MAPPED, node_of(fd), offset, length, path, "", 0);
    pthread_mutex_unlock(&lock);
  }
  return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}
void *mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
  return mmap(at, length, protection, flags, fd, offset);
}
