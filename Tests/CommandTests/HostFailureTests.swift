import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

private let attributesAreKept: Bool = {
    guard let directory = try? TemporaryDirectory(), let path = try? directory.write("a", [1]),
        let file = try? HostFile.open(path, access: .write)
    else { return false }
    return (try? file.setAttribute("user.test", to: [1])) != nil
}()

/// Calls of the host that fail with an error of the disk, put in by a library that is loaded before the others: what cannot be
/// told is no answer, and what was not written is not written.
@Suite(
    .enabled(
        if: Tool.has("cc", "mke2fs", "debugfs") && attributesAreKept,
        "no C compiler, no judges, or a temporary folder without attributes"))
struct HostFailureTests {
    /// Fails the call that DG_FAIL names, of what is the command's own.
    private static let library = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/stat.h>
        #include <sys/types.h>
        #include <unistd.h>
        static int is(const char *call) {
            const char *wanted = getenv("DG_FAIL");
            return wanted && strcmp(wanted, call) == 0;
        }
        #define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
        /* fdatasync of a record, counted; "fdatasync-record" fails that of the mark "done". */
        int fdatasync(int fd) {
            char path[4200], link[64];
            unsigned char head[16];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t n = readlink(link, path, sizeof path - 1);
            if (n > 5 && memcmp(path + n - 5, ".undo", 5) == 0 && pread(fd, head, 16, 0) == 16 && head[12] == 1) {
                if (is("done")) { errno = EIO; return -1; }
            }
            return NEXT(fdatasync)(fd);
        }
        ssize_t getxattr(const char *path, const char *name, void *value, size_t size) {
            if (is("getxattr") && strncmp(name, "user.diskgraft", 14) == 0) { errno = EIO; return -1; }
            return NEXT(getxattr)(path, name, value, size);
        }
        int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
            if (is("fsetxattr") && strcmp(name, "user.diskgraft.undo") == 0) { errno = EIO; return -1; }
            return NEXT(fsetxattr)(fd, name, value, size, flags);
        }
        int lstat(const char *path, struct stat *status) {
            size_t n = strlen(path);
            if (is("lstat") && n > 5 && strcmp(path + n - 5, ".undo") == 0) { errno = EIO; return -1; }
            return NEXT(lstat)(path, status);
        }
        int sync_file_range(int fd, off_t offset, off_t count, unsigned flags) {
            if (is("sync_file_range") && flags & SYNC_FILE_RANGE_WAIT_AFTER) { errno = EIO; return -1; }
            return NEXT(sync_file_range)(fd, offset, count, flags);
        }
        """

    private let directory: TemporaryDirectory
    private let image: String
    private let file: String
    private let before: [UInt8]

    init() throws {
        directory = try TemporaryDirectory()
        let source = try directory.write("fail.c", Self.library)
        try Tool.run("cc", ["-shared", "-fPIC", "-o", directory.path("fail.so"), source, "-ldl"])
        image = try EditCommandTests.volume(EditCommandTests.ext4, in: directory)
        file = try directory.write("file", "new\n")
        before = try fileBytes(image)
    }

    private func failing(_ call: String, _ arguments: [String]) throws -> Tool.Result {
        try Tool.run(
            "env",
            ["LD_PRELOAD=" + directory.path("fail.so"), "DG_FAIL=" + call, Fixture.command] + arguments,
            expect: nil)
    }

    @Test func anImageThatCannotBeMarkedIsNotChanged() throws {
        let put = ["put", "--volume", "disk", image, file, "/d/file"]
        let result = try failing("fsetxattr", put)
        #expect(result.status == 1 && result.errorText.contains("fsetxattr"), "\(result.errorText)")
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
        #expect(!HostDirectory.exists(image + ".undo"))
        #expect(try failing("nothing", put).status == 0)
    }

    /// Whether there is a record, or a mark, cannot be told: the image may be half changed, and is not read.
    @Test(arguments: ["lstat", "getxattr"]) func whatCannotBeToldIsNotClean(_ call: String) throws {
        try Fixture.diskgraft("put", "--volume", "disk", image, file, "/d/file")
        try UndoRecord.setState(.hot, ofRecord: image + ".undo")
        var name = image
        if call == "getxattr" {
            // By a name in another directory the mark alone shows it.
            name = try directory.write("other/x", "") + ".img"
            try FileManager.default.linkItem(atPath: image, toPath: name)
        }
        for arguments in [
            ["ls", "--volume", "disk", name, "/"], ["info", name],
            ["put", "--volume", "disk", name, file, "/x"],
            ["undo", name], ["check", name], ["convert", name, directory.path("out.qcow2")],
        ] {
            let bytes = try fileBytes(image)
            let result = try failing(call, arguments)
            #expect(result.status == 1, "\(arguments): \(result.text)\(result.errorText)")
            let isUntouched = try fileBytes(image) == bytes
            #expect(isUntouched, "\(arguments)")
        }
        try Fixture.diskgraft("undo", name)
        let isBack = try fileBytes(image) == before
        #expect(isBack)
    }

    /// The record cannot be marked as done: the change goes back, at once.
    @Test func aChangeThatCannotBeMarkedAsDoneGoesBack() throws {
        let result = try failing("done", ["put", "--volume", "disk", image, file, "/d/file"])
        #expect(result.status == 1 && result.errorText.contains("fdatasync"), "\(result.errorText)")
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
        #expect(!HostDirectory.exists(image + ".undo"))
        try Fixture.diskgraft("put", "--volume", "disk", image, file, "/d/file")
    }

    /// The kernel tells of a page that the disk refused once: who hears of it must not go on.
    @Test func whatTheDiskRefusedIsNotTakenForWritten() throws {
        try Fixture.diskgraft("put", "--volume", "disk", image, file, "/d/file")
        let result = try failing("sync_file_range", ["undo", image])
        #expect(result.status == 1 && result.errorText.contains("sync_file_range"), "\(result.errorText)")
        #expect(try Fixture.diskgraft("ls", image, expect: 2...2).errorText.contains("cut off"))
        try Fixture.diskgraft("undo", image)
        let isBack = try fileBytes(image) == before
        #expect(isBack)
    }

    /// Without a descriptor left the runtime cannot read the arguments: that is no call for help.
    @Test(arguments: 3..<9) func withoutDescriptorsNothingIsDone(_ limit: Int) throws {
        func limited(_ command: [String]) throws -> Tool.Result {
            let line = ([Fixture.command] + command).map(\.hostBytes.shellText).joined(separator: " ")
            return try Tool.run("sh", ["-c", "ulimit -n \(limit); exec \(line)"], expect: nil)
        }
        let put = try limited(["put", "--volume", "disk", image, file, "/d/file"])
        let isUntouched = try fileBytes(image) == before
        #expect((put.status == 0) == !isUntouched, "\(put.text)\(put.errorText)")
        if isUntouched { try Fixture.diskgraft("put", "--volume", "disk", image, file, "/d/file") }
        let undo = try limited(["undo", image])
        // What failed behind the last byte goes on from there.
        if undo.status != 0 { try Fixture.diskgraft("undo", image) }
        let isBack = try fileBytes(image) == before
        #expect(isBack, "\(undo.text)\(undo.errorText)")
    }
}
