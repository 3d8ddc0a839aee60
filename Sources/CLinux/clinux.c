#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

int64_t clinux_seek_data(int fd, int64_t offset) { return lseek(fd, offset, SEEK_DATA); }
int64_t clinux_seek_hole(int fd, int64_t offset) { return lseek(fd, offset, SEEK_HOLE); }

static struct flock range_lock(short type, int64_t start, int64_t length)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length, .l_pid = 0};
    return lock;
}

int clinux_ofd_lock(int fd, int exclusive, int64_t start, int64_t length)
{
    struct flock lock = range_lock(exclusive ? F_WRLCK : F_RDLCK, start, length);
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int clinux_ofd_unlock(int fd, int64_t start, int64_t length)
{
    struct flock lock = range_lock(F_UNLCK, start, length);
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int clinux_ofd_would_conflict(int fd, int64_t start, int64_t length)
{
    struct flock lock = range_lock(F_WRLCK, start, length);
    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return -1;
    return lock.l_type != F_UNLCK;
}

int clinux_hold(int fd, int waits)
{
    return flock(fd, waits ? LOCK_EX : LOCK_EX | LOCK_NB);
}

int64_t clinux_copy_file_range(int in_fd, int64_t in_offset, int out_fd, int64_t out_offset, uint64_t length)
{
    off64_t in = in_offset, out = out_offset;
    return copy_file_range(in_fd, &in, out_fd, &out, length, 0);
}

int clinux_clone_range(int in_fd, uint64_t in_offset, int out_fd, uint64_t out_offset, uint64_t length)
{
    struct file_clone_range range = {
        .src_fd = in_fd, .src_offset = in_offset, .src_length = length, .dest_offset = out_offset};
    return ioctl(out_fd, FICLONERANGE, &range);
}

int clinux_start_writeback(int fd) { return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }

int clinux_await_writeback(int fd, int64_t offset, int64_t length)
{
    return sync_file_range(
        fd, offset, length,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

int clinux_rename_no_replace(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int clinux_punch_hole(int fd, int64_t offset, int64_t length)
{
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int clinux_zero_range(int fd, int64_t offset, int64_t length)
{
    return fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int clinux_open(const char *path, int flags, unsigned mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

int clinux_open_beneath(int directory_fd, const char *name, int flags, unsigned mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, directory_fd, name, &how, sizeof how);
    // Kernels before 5.6 have no such call, and sandboxes that do not know it say EPERM.
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = openat(directory_fd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    return fd;
}

int clinux_open_parent(int directory_fd)
{
    return openat(directory_fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int clinux_make_node(int directory_fd, const char *name, unsigned mode, unsigned major, unsigned minor)
{
    return mknodat(directory_fd, name, mode, makedev(major, minor));
}

int clinux_random(void *buffer, size_t length)
{
    char *next = buffer;
    while (length > 0) {
        ssize_t got = getrandom(next, length, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        next += got;
        length -= (size_t)got;
    }
    return 0;
}

int clinux_block_device_size(int fd, uint64_t *bytes, uint32_t *sector_size)
{
    int sector = 0;
    if (ioctl(fd, BLKGETSIZE64, bytes) < 0 || ioctl(fd, BLKSSZGET, &sector) < 0)
        return -1;
    *sector_size = (uint32_t)sector;
    return 0;
}

const int clinux_o_path = O_PATH;

int clinux_unnamed_file(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    // File systems without O_TMPFILE, and kernels before 3.11, which take it for an open of the directory.
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT))
        return fd;
    char name[4096];
    if (snprintf(name, sizeof name, "%s/diskgraft-XXXXXX", directory) >= (int)sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

uint64_t clinux_birth_time(int fd)
{
    struct statx status;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0 || !(status.stx_mask & STATX_BTIME))
        return 0;
    return (uint64_t)status.stx_btime.tv_sec * 1000000000u + status.stx_btime.tv_nsec;
}

int64_t clinux_get_attribute(const char *path, const char *name, void *value, size_t length)
{
    return getxattr(path, name, value, length);
}

int clinux_set_attribute(int fd, const char *name, const void *value, size_t length)
{
    return fsetxattr(fd, name, value, length, 0);
}

int clinux_remove_attribute(int fd, const char *name) { return fremovexattr(fd, name); }

int clinux_keeps_attributes(int fd)
{
    return fgetxattr(fd, "user.diskgraft.undo", NULL, 0) >= 0 || errno == ENODATA;
}

int clinux_is_in_memory(const char *path)
{
    struct statfs status;
    if (statfs(path, &status) != 0)
        return 0;
    // devtmpfs calls itself tmpfs or ramfs, as it was built.
    return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC || status.f_type == HUGETLBFS_MAGIC;
}

int clinux_loop_backing(const char *path, uint64_t *device, uint64_t *inode)
{
    struct loop_info64 info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    int status = ioctl(fd, LOOP_GET_STATUS64, &info);
    close(fd);
    if (status != 0)
        return -1;
    // The kernel's own encoding of a device's number, which is glibc's for what fits 32 bits.
    *device = info.lo_device;
    *inode = info.lo_inode;
    return 0;
}

int clinux_is_claimed(int fd, const char *name)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    // Who asks like this has it claimed for a moment, and so has losetup: others are not to be taken for a mount.
    for (int tries = 0; tries < 6; tries++) {
        if (tries > 0) {
            struct timespec pause = {0, 10 * 1000 * 1000};
            nanosleep(&pause, NULL);
        }
        int claimed = fd < 0 ? -1 : open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || (claimed < 0 && errno == ENOENT))
            claimed = open(name, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
        if (claimed >= 0) {
            close(claimed);
            return 0;
        }
        if (errno != EBUSY)
            return 0;
    }
    return 1;
}

static int argument_count;
static char **arguments;

/* glibc hands them to what runs before main. Earlier than the Swift runtime's own start, which asks /proc where its helper
   programs lie, and aborts without an answer: it is told that it needs none. */
__attribute__((constructor(101))) static void keep_arguments(int count, char **values)
{
    argument_count = count;
    arguments = values;
    if (access("/proc/self/exe", F_OK) != 0)
        setenv("SWIFT_ROOT", "/", 0);
}

const char *clinux_argument(int index)
{
    return index >= 0 && index < argument_count ? arguments[index] : NULL;
}

int64_t clinux_to_utf8(const char *encoding, const uint8_t *bytes, size_t count, uint8_t *out, size_t room) {
  iconv_t converter = iconv_open("UTF-8", encoding);
  if (converter == (iconv_t)-1) return -2;
  char *in = (char *)bytes;
  char *to = (char *)out;
  size_t left = count, space = room;
  size_t done = iconv(converter, &in, &left, &to, &space);
  if (done != (size_t)-1) done = iconv(converter, NULL, NULL, &to, &space);
  iconv_close(converter);
  return done == (size_t)-1 || left != 0 ? -1 : (int64_t)(room - space);
}
