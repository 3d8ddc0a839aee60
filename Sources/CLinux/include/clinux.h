// Linux calls and constants that Swift's Glibc module hides: feature-test macros
// (_GNU_SOURCE) are off there, and function-like macros are not imported.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// lseek(2) with SEEK_DATA / SEEK_HOLE; -1 and errno on failure.
int64_t clinux_seek_data(int fd, int64_t offset);
int64_t clinux_seek_hole(int fd, int64_t offset);

/// Open-file-description locks (fcntl F_OFD_SETLK / F_OFD_GETLK) on [start, start + length).
/// set: 0, or -1 and errno (EAGAIN: someone else holds it). exclusive: 1 write lock, 0 read lock.
int clinux_ofd_lock(int fd, int exclusive, int64_t start, int64_t length);
int clinux_ofd_unlock(int fd, int64_t start, int64_t length);
/// 1 when a write lock there would conflict with another open file description, 0 when not, -1 on error.
int clinux_ofd_would_conflict(int fd, int64_t start, int64_t length);

/// flock(2), exclusive, until the descriptor is closed. waits: 1 until it is free. 0, or -1 and errno.
int clinux_hold(int fd, int waits);

/// The st_dev and st_ino of the file that the loop device at `path` is attached to; -1 when it does not say.
int clinux_loop_backing(const char *path, uint64_t *device, uint64_t *inode);

/// copy_file_range(2); bytes copied, or -1 and errno.
int64_t clinux_copy_file_range(int in_fd, int64_t in_offset, int out_fd, int64_t out_offset, uint64_t length);
/// ioctl(FICLONERANGE); 0, or -1 and errno.
int clinux_clone_range(int in_fd, uint64_t in_offset, int out_fd, uint64_t out_offset, uint64_t length);
/// sync_file_range(2) with SYNC_FILE_RANGE_WRITE over the whole file: starts writing back, waits for nothing,
/// promises nothing. 0, or -1 and errno.
int clinux_start_writeback(int fd);
/// sync_file_range(2): writes a range back and waits for it; promises nothing of metadata or the disk's own cache. 0, or -1
/// and errno.
int clinux_await_writeback(int fd, int64_t offset, int64_t length);
/// renameat2(2) with RENAME_NOREPLACE; 0, or -1 and errno.
int clinux_rename_no_replace(const char *from, const char *to);
/// fallocate(2) punching a hole / zeroing a range, size kept; 0, or -1 and errno.
int clinux_punch_hole(int fd, int64_t offset, int64_t length);
int clinux_zero_range(int fd, int64_t offset, int64_t length);
/// open(2), which is variadic; adds O_CLOEXEC.
int clinux_open(const char *path, int flags, unsigned mode);
/// A file without a name in `directory`, readable and writable, which goes with its descriptor; -1 and errno.
int clinux_unnamed_file(const char *directory);
/// O_PATH of open(2).
extern const int clinux_o_path;
/// When the file was made (statx(2), STATX_BTIME), in nanoseconds since 1970; 0 where that is not kept.
uint64_t clinux_birth_time(int fd);
/// getxattr(2), through links; its length, or -1 and errno. fsetxattr(2), fremovexattr(2): 0, or -1 and errno.
int64_t clinux_get_attribute(const char *path, const char *name, void *value, size_t length);
int clinux_set_attribute(int fd, const char *name, const void *value, size_t length);
int clinux_remove_attribute(int fd, const char *name);
/// 1 when the file system keeps user extended attributes of the open file, else 0.
int clinux_keeps_attributes(int fd);
/// 1 when somebody in the kernel has claimed a block device (open with O_EXCL fails with EBUSY, for some time), else 0. `name` is its
/// path; fd is open on it, or -1.
int clinux_is_claimed(int fd, const char *name);
/// An argument that the process was started with, its own name first; NULL behind the last. Asks nothing of /proc.
const char *clinux_argument(int index);
/// Converts `count` bytes of text in `encoding` to UTF-8 at `out`, which has `room` bytes, by iconv(3). The length there; -1
/// when they are no such text or do not fit, -2 when the C library has no converter.
int64_t clinux_to_utf8(const char *encoding, const uint8_t *bytes, size_t count, uint8_t *out, size_t room);
/// 1 when the file system that holds `path` lives in memory (tmpfs, devtmpfs, ramfs, hugetlbfs), else 0.
int clinux_is_in_memory(const char *path);
/// openat2(2) of a plain name in a directory, with RESOLVE_BENEATH, no links; openat(2) with O_NOFOLLOW where the
/// kernel has no openat2. Adds O_CLOEXEC. -1 and errno.
int clinux_open_beneath(int directory_fd, const char *name, int flags, unsigned mode);
/// openat(2) of ".."; -1 and errno.
int clinux_open_parent(int directory_fd);
/// mknodat(2); mode holds the type. 0, or -1 and errno.
int clinux_make_node(int directory_fd, const char *name, unsigned mode, unsigned major, unsigned minor);
/// getrandom(2), whole buffer; 0, or -1 and errno.
int clinux_random(void *buffer, size_t length);
/// ioctl(BLKGETSIZE64) and ioctl(BLKSSZGET) of a block device; 0, or -1 and errno.
int clinux_block_device_size(int fd, uint64_t *bytes, uint32_t *sector_size);

/// The CRC-32C register after `length` bytes, by the processor's own instruction, without initial value and final xor.
/// Only where clinux_has_crc32c says 1.
uint32_t clinux_crc32c(uint32_t crc, const void *bytes, size_t length);
/// 1 when the processor has the instruction (SSE4.2, ARMv8 CRC), else 0.
int clinux_has_crc32c(void);

/// Catches SIGINT, SIGTERM and SIGHUP (unless ignored already): the first is remembered, and wakes calls that wait; the next one
/// of any of them kills as usual. SIGPIPE and SIGXFSZ become errors of write(2).
void clinux_interruption_install(void);
/// The signal that came first; 0 while none has.
int clinux_interruption_first(void);
/// Takes note of a signal that asks to stop, as the handlers do.
void clinux_interruption_note(int number);
/// Whether another program has the terminal: SIGINT that is typed there is not ours then.
void clinux_interruption_lend_terminal(int lends);
