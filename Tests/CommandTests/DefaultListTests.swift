import Foundation
import TestSupport
import Testing

/// What a directory's default access control list makes of a new file's permissions: posix_acl_create(), and no umask.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck"), "judges are missing"))
struct DefaultListTests {
    @Test func theMaskIsWhatTheCreatingCallAsksFor() throws {
        let directory = try TemporaryDirectory()
        let image = try EditCommandTests.volume(EditCommandTests.ext4, in: directory)
        func run(_ arguments: String...) throws -> String {
            try Tool.run(Fixture.command, arguments + ["--volume", "disk"]).text
        }
        func list(_ path: String) throws -> String {
            try run("xattr", image, path, "--get", "system.posix_acl_access").trimmingCharacters(
                in: .whitespacesAndNewlines)
        }
        func source(_ mode: String) throws -> String {
            let path = try directory.write("source-\(mode)", "x\n")
            try Tool.run("chmod", [mode, path])
            return path
        }
        _ = try run(
            "xattr", image, "/d", "--set",
            "system.posix_acl_default=u::rwx,u:1000:rwx,g::rwx,m::rwx,o::---")
        _ = try run("mkdir", image, "/d/made")
        #expect(try list("/d/made") == "u::rwx,u:1000:rwx,g::rwx,m::rwx,o::---")
        #expect(
            try run("xattr", image, "/d/made", "--get", "system.posix_acl_default").contains("u:1000:rwx"))
        _ = try run("mkdir", "-m", "0750", image, "/d/less")
        #expect(try list("/d/less") == "u::rwx,u:1000:rwx,g::rwx,m::r-x,o::---")
        _ = try run("mkdir", "-p", image, "/d/one/two")
        #expect(try list("/d/one/two").contains("m::rwx"))
        // The usual umasks are given back; what somebody chose stays.
        for (mode, mask) in [
            ("0644", "rw-"), ("0664", "rw-"), ("0755", "rwx"), ("0775", "rwx"), ("0600", "---"),
            ("0640", "r--"),
        ] {
            _ = try run("put", image, try source(mode), "/d/from-\(mode)")
            #expect(try list("/d/from-\(mode)").contains("m::\(mask),o::---"), "\(mode)")
        }
        try EditCommandTests.feed("new\n", "put", image, "-", "/d/input", "--volume", "disk")
        #expect(try list("/d/input") == "u::rw-,u:1000:rwx,g::rwx,m::rw-,o::---")
        _ = try run("mknod", image, "/d/pipe", "p")
        #expect(try list("/d/pipe").contains("m::rw-"))
        // Without a default list the mode is as it always was.
        _ = try run("mkdir", image, "/plain")
        _ = try run("put", image, try source("0644"), "/file")
        let tree = try Debugfs(image).tree()
        #expect(tree["/plain"]?.mode == "0755" && tree["/file"]?.mode == "0644")
        #expect(tree["/d/made"]?.mode == "0770" && tree["/d/input"]?.mode == "0660")
        try Debugfs(image).check()
    }
}
