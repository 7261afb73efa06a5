// Preloaded into a binary under test: numbers its calls with lasting effect and lets chosen ones fail or be the last.
//
// Numbered are calls on files below CHAOS_PATH and what is sent to the PostgreSQL server at CHAOS_PORT.
//   CHAOS_TRACE=file          one line for each numbered call: number, name, path
//   CHAOS_KILL=n              the process kills itself with SIGKILL at the n-th call …
//   CHAOS_WHEN=before|after|half   … before it, after it (sent, then dead at once), or with half of a write done
//   CHAOS_STOP=n              the process stops itself with SIGSTOP before the n-th call; SIGCONT lets it go on
//   CHAOS_FAIL=n:ERROR[:once] the n-th call and all later ones fail with ENOSPC, EIO or EROFS, where a disk could say so
//   CHAOS_SPOIL=text, CHAOS_SPOIL_IN=part   a disk that lies: writes of this text to files with this part in their name
//                             arrive with its first letter changed
// Build: gcc -shared -fPIC -O1 -o libchaos.so shim.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { descriptors = 65536 };
enum kind { other, file, database };
// What a call needs of the disk: decides which errors it can get.
enum need { room = 1, sync_only = 2, naming = 4, removal = 8, network = 16 };

static unsigned char kinds[descriptors];
static char* names[descriptors];
static const char *prefix, *spoil, *spoil_in;
static size_t prefix_length;
static int port, trace = -1, error, once, half;
static long kill_at, stop_at, fail_at, after;
static atomic_long calls;

static long number(const char* name) {
  const char* text = getenv(name);
  return text ? atol(text) : 0;
}

__attribute__((constructor)) static void begin(void) {
  prefix = getenv("CHAOS_PATH");
  prefix_length = prefix ? strlen(prefix) : 0;
  port = (int)number("CHAOS_PORT");
  kill_at = number("CHAOS_KILL");
  stop_at = number("CHAOS_STOP");
  spoil = getenv("CHAOS_SPOIL");
  spoil_in = getenv("CHAOS_SPOIL_IN");
  const char* when = getenv("CHAOS_WHEN");
  after = when && !strcmp(when, "after");
  half = when && !strcmp(when, "half");
  const char* fail = getenv("CHAOS_FAIL");
  if (fail) {
    fail_at = atol(fail);
    error = strstr(fail, "ENOSPC") ? ENOSPC : strstr(fail, "EROFS") ? EROFS : EIO;
    once = strstr(fail, ":once") != NULL;
  }
  const char* to = getenv("CHAOS_TRACE");
  // Neither counted nor followed: the system call itself.
  if (to) trace = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

static int ours(const char* path) { return prefix && path && !strncmp(path, prefix, prefix_length); }

static void mark(int fd, enum kind kind, const char* path) {
  if (fd < 0 || fd >= descriptors) return;
  kinds[fd] = (unsigned char)kind;
  free(names[fd]);
  names[fd] = path ? strdup(path) : NULL;
}
static int is_ours(int fd) { return fd >= 0 && fd < descriptors && kinds[fd] != other; }
static const char* name_of(int fd) { return fd >= 0 && fd < descriptors && names[fd] ? names[fd] : ""; }

static int can_fail(enum need need) {
  if (need == network) return 0;
  if (error == ENOSPC) return need == room;
  if (error == EIO) return need == room || need == sync_only || need == naming;
  return 1;
}

// Numbers a call. Gives its number, or 0 when it must fail, with errno set.
static long numbered(const char* call, const char* path, enum need need) {
  long n = atomic_fetch_add(&calls, 1) + 1;
  if (trace >= 0) {
    char line[512];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", n, call, path);
    if (length > (int)sizeof line) length = sizeof line;
    syscall(SYS_write, trace, line, length);
  }
  if (n == stop_at) syscall(SYS_kill, getpid(), SIGSTOP);
  if (n == kill_at && !after && !half) die();
  if (fail_at && (once ? n == fail_at : n >= fail_at) && can_fail(need)) {
    errno = error;
    return 0;
  }
  return n;
}
static void done(long n) {
  if (n == kill_at) {
    int kept = errno;
    die();
    errno = kept;
  }
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
// A call on a descriptor.
#define ON_DESCRIPTOR(fd, call, need, result_type, run) \
  if (!is_ours(fd)) return run; \
  long n = numbered(call, name_of(fd), kinds[fd] == database ? network : need); \
  if (!n) return -1; \
  result_type result = run; \
  done(n); \
  return result
#define ON_PATH(matches, call, path, need, run) \
  if (!(matches)) return run; \
  long n = numbered(call, path, need); \
  if (!n) return -1; \
  int result = run; \
  done(n); \
  return result

// The bytes to write: the caller's, or spoiled ones in `room_for`.
static const void* honest(int fd, const void* from, size_t count, char* room_for, size_t size) {
  if (!spoil || !spoil_in || !is_ours(fd) || kinds[fd] != file || !strstr(name_of(fd), spoil_in) || count > size) return from;
  size_t length = strlen(spoil);
  char* at = memmem(from, count, spoil, length);
  if (!at) return from;
  memcpy(room_for, from, count);
  while ((at = memmem(room_for, count, spoil, length))) *at ^= 1;
  return room_for;
}

static size_t cut(long count) { return half && atomic_load(&calls) == kill_at && count > 1 ? (size_t)count / 2 : (size_t)count; }

ssize_t write(int fd, const void* from, size_t count) { REAL(ssize_t, "write", int, const void*, size_t); char spoiled[65536]; from = honest(fd, from, count, spoiled, sizeof spoiled); ON_DESCRIPTOR(fd, "write", room, ssize_t, real(fd, from, cut((long)count))); }
ssize_t pwrite(int fd, const void* from, size_t count, off_t at) { REAL(ssize_t, "pwrite", int, const void*, size_t, off_t); char spoiled[65536]; from = honest(fd, from, count, spoiled, sizeof spoiled); ON_DESCRIPTOR(fd, "write", room, ssize_t, real(fd, from, cut((long)count), at)); }
ssize_t pwrite64(int fd, const void* from, size_t count, off64_t at) { REAL(ssize_t, "pwrite64", int, const void*, size_t, off64_t); char spoiled[65536]; from = honest(fd, from, count, spoiled, sizeof spoiled); ON_DESCRIPTOR(fd, "write", room, ssize_t, real(fd, from, cut((long)count), at)); }
ssize_t writev(int fd, const struct iovec* parts, int count) { REAL(ssize_t, "writev", int, const struct iovec*, int); ON_DESCRIPTOR(fd, "write", room, ssize_t, real(fd, parts, count)); }
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t at) { REAL(ssize_t, "pwritev", int, const struct iovec*, int, off_t); ON_DESCRIPTOR(fd, "write", room, ssize_t, real(fd, parts, count, at)); }
ssize_t sendfile(int to, int from, off_t* at, size_t count) { REAL(ssize_t, "sendfile", int, int, off_t*, size_t); ON_DESCRIPTOR(to, "write", room, ssize_t, real(to, from, at, count)); }
ssize_t sendfile64(int to, int from, off64_t* at, size_t count) { REAL(ssize_t, "sendfile64", int, int, off64_t*, size_t); ON_DESCRIPTOR(to, "write", room, ssize_t, real(to, from, at, count)); }
ssize_t copy_file_range(int from, off64_t* at, int to, off64_t* to_at, size_t count, unsigned flags) {
  REAL(ssize_t, "copy_file_range", int, off64_t*, int, off64_t*, size_t, unsigned);
  ON_DESCRIPTOR(to, "write", room, ssize_t, real(from, at, to, to_at, count, flags));
}
int fsync(int fd) { REAL(int, "fsync", int); ON_DESCRIPTOR(fd, "fsync", sync_only, int, real(fd)); }
int fdatasync(int fd) { REAL(int, "fdatasync", int); ON_DESCRIPTOR(fd, "fsync", sync_only, int, real(fd)); }
int ftruncate(int fd, off_t size) { REAL(int, "ftruncate", int, off_t); ON_DESCRIPTOR(fd, "ftruncate", room, int, real(fd, size)); }
int ftruncate64(int fd, off64_t size) { REAL(int, "ftruncate64", int, off64_t); ON_DESCRIPTOR(fd, "ftruncate", room, int, real(fd, size)); }
int fallocate(int fd, int mode, off_t at, off_t size) { REAL(int, "fallocate", int, int, off_t, off_t); ON_DESCRIPTOR(fd, "ftruncate", room, int, real(fd, mode, at, size)); }
int fallocate64(int fd, int mode, off64_t at, off64_t size) { REAL(int, "fallocate64", int, int, off64_t, off64_t); ON_DESCRIPTOR(fd, "ftruncate", room, int, real(fd, mode, at, size)); }
ssize_t send(int fd, const void* from, size_t count, int flags) { REAL(ssize_t, "send", int, const void*, size_t, int); ON_DESCRIPTOR(fd, "send", network, ssize_t, real(fd, from, cut((long)count), flags)); }
ssize_t sendto(int fd, const void* from, size_t count, int flags, const struct sockaddr* to, socklen_t size) {
  REAL(ssize_t, "sendto", int, const void*, size_t, int, const struct sockaddr*, socklen_t);
  ON_DESCRIPTOR(fd, "send", network, ssize_t, real(fd, from, count, flags, to, size));
}
ssize_t sendmsg(int fd, const struct msghdr* message, int flags) { REAL(ssize_t, "sendmsg", int, const struct msghdr*, int); ON_DESCRIPTOR(fd, "send", network, ssize_t, real(fd, message, flags)); }

int rename(const char* from, const char* to) { REAL(int, "rename", const char*, const char*); ON_PATH(ours(from) || ours(to), "rename", to, naming, real(from, to)); }
int renameat(int a, const char* from, int b, const char* to) { REAL(int, "renameat", int, const char*, int, const char*); ON_PATH(ours(from) || ours(to), "rename", to, naming, real(a, from, b, to)); }
int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  REAL(int, "renameat2", int, const char*, int, const char*, unsigned);
  ON_PATH(ours(from) || ours(to), "rename", to, naming, real(a, from, b, to, flags));
}
int link(const char* from, const char* to) { REAL(int, "link", const char*, const char*); ON_PATH(ours(to), "link", to, room, real(from, to)); }
int linkat(int a, const char* from, int b, const char* to, int flags) { REAL(int, "linkat", int, const char*, int, const char*, int); ON_PATH(ours(to), "link", to, room, real(a, from, b, to, flags)); }
int symlink(const char* target, const char* to) { REAL(int, "symlink", const char*, const char*); ON_PATH(ours(to), "link", to, room, real(target, to)); }
int unlink(const char* path) { REAL(int, "unlink", const char*); ON_PATH(ours(path) && !access(path, F_OK), "unlink", path, removal, real(path)); }
int unlinkat(int fd, const char* path, int flags) { REAL(int, "unlinkat", int, const char*, int); ON_PATH(ours(path) || is_ours(fd), "unlink", path, removal, real(fd, path, flags)); }
int remove(const char* path) { REAL(int, "remove", const char*); ON_PATH(ours(path) && !access(path, F_OK), "unlink", path, removal, real(path)); }
int mkdir(const char* path, mode_t mode) { REAL(int, "mkdir", const char*, mode_t); ON_PATH(ours(path) && access(path, F_OK), "mkdir", path, room, real(path, mode)); }

// Opening counts when it makes or empties a file.
static int opened(int (*open_it)(int, const char*, int, mode_t), int folder, const char* path, int flags, mode_t mode) {
  if (!ours(path)) {
    int fd = open_it(folder, path, flags, mode);
    if (fd >= 0 && fd < descriptors && kinds[fd] != other) mark(fd, other, NULL);
    return fd;
  }
  int lasting = ((flags & O_CREAT) && access(path, F_OK)) || (flags & O_TRUNC);
  long n = -1;
  if (lasting && !(n = numbered("open", path, room))) return -1;
  // On a disk that is read-only by now nothing opens for writing either.
  if (!lasting && fail_at && error == EROFS && !once && (flags & O_ACCMODE) != O_RDONLY && atomic_load(&calls) >= fail_at) {
    errno = EROFS;
    return -1;
  }
  int fd = open_it(folder, path, flags, mode);
  mark(fd, file, path);
  if (lasting) done(n);
  return fd;
}
static int plain_open(int folder, const char* path, int flags, mode_t mode) {
  REAL(int, "openat", int, const char*, int, ...);
  return real(folder, path, flags, mode);
}
#define MODE \
  mode_t mode = 0; \
  if (flags & (O_CREAT | __O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
int open(const char* path, int flags, ...) { MODE return opened(plain_open, AT_FDCWD, path, flags, mode); }
int open64(const char* path, int flags, ...) { MODE return opened(plain_open, AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char* path, int flags, ...) { MODE return opened(plain_open, folder, path, flags, mode); }
int openat64(int folder, const char* path, int flags, ...) { MODE return opened(plain_open, folder, path, flags | O_LARGEFILE, mode); }
int creat(const char* path, mode_t mode) { return opened(plain_open, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
static FILE* stream(const char* path, const char* how) {
  int flags = how[0] == 'r' ? (strchr(how, '+') ? O_RDWR : O_RDONLY) : (how[0] == 'a' ? O_APPEND : O_TRUNC) | O_CREAT | (strchr(how, '+') ? O_RDWR : O_WRONLY);
  int fd = opened(plain_open, AT_FDCWD, path, flags | (strchr(how, 'e') ? O_CLOEXEC : 0), 0666);
  return fd < 0 ? NULL : fdopen(fd, how);
}
FILE* fopen(const char* path, const char* how) { return stream(path, how); }
FILE* fopen64(const char* path, const char* how) { return stream(path, how); }

int connect(int fd, const struct sockaddr* to, socklen_t size) {
  REAL(int, "connect", int, const struct sockaddr*, socklen_t);
  int to_port = to->sa_family == AF_INET    ? ntohs(((const struct sockaddr_in*)to)->sin_port)
                : to->sa_family == AF_INET6 ? ntohs(((const struct sockaddr_in6*)to)->sin6_port)
                                            : 0;
  if (port && to_port == port) mark(fd, database, "postgres");
  return real(fd, to, size);
}
int close(int fd) {
  REAL(int, "close", int);
  if (is_ours(fd)) mark(fd, other, NULL);
  return real(fd);
}
