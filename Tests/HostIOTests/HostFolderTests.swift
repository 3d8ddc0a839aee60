import Foundation
import HostIO
import Storage
import TestSupport
import Testing

/// Names that are made on the host: plain, new, and never through a link.
struct HostFolderTests {
    @Test func aNewFileReplacesNothing() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("there", [1, 2, 3])
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("link"), withDestinationPath: directory.path("elsewhere"))
        let folder = try HostFolder.open(directory.root)
        for name in ["there", "link"] {
            let made = #expect(throws: StorageError.self) { try HostFile.create(directory.path(name)) }
            #expect(made?.errno == EEXIST)
            #expect(throws: StorageError.self) { try folder.makeFile(Array(name.utf8)) }
            #expect(throws: StorageError.self) { try folder.makeFolder(Array(name.utf8)) }
        }
        #expect(try fileBytes(path) == [1, 2, 3])
        #expect(!HostDirectory.exists(directory.path("elsewhere")))
    }

    @Test(arguments: ["", ".", "..", "a/b", "../out", "/out", "a\0b"])
    func namesAreThePlainOnes(_ name: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("a/keep", "x")
        let folder = try HostFolder.open(directory.path("a"))
        let name = Array(name.utf8)
        let calls: [() throws -> Void] = [
            { _ = try folder.makeFile(name) }, { _ = try folder.makeFolder(name) },
            { try folder.makeSymbolicLink(name, target: [65], modified: Timestamp(seconds: 0)) },
            {
                try folder.makeNode(
                    name, type: .fifo, device: nil, permissions: 0o600, modified: Timestamp(seconds: 0))
            },
        ]
        for call in calls {
            let error = #expect(throws: StorageError.self) { try call() }
            #expect(error?.isCode(HostDirectoryCode.notAPlainName) == true && error?.kind == .corrupt)
        }
        folder.removeFile(name)
        #expect(HostDirectory.names(in: directory.root) == ["a"])
        #expect(HostDirectory.names(in: directory.path("a")) == ["keep"])
    }

    /// Somebody who moves a directory away moves no names that are made in the one above it.
    @Test func aMovedDirectoryIsNoticed() throws {
        let directory = try TemporaryDirectory()
        try directory.write("one/keep", "x")
        try directory.write("two/keep", "x")
        let one = try HostFolder.open(directory.path("one"))
        let inner = try one.makeFolder(Array("inner".utf8))
        #expect(try inner.parent(expecting: one.identity, path: "one").identity == one.identity)
        try HostDirectory.rename(directory.path("one/inner"), to: directory.path("two/inner"))
        let error = #expect(throws: StorageError.self) {
            try inner.parent(expecting: one.identity, path: "one")
        }
        #expect(error?.isCode(HostDirectoryCode.moved) == true)
    }

    /// What a killed process left is taken away; what one still works in, and what is somebody's link, is not.
    @Test func whatIsHeldStays() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("work")
        do {
            let held = try HeldDirectory.make(path)
            _ = try HostFile.create(path + "/half")
            HeldDirectory.removeIfLeft(path)
            #expect(HostDirectory.exists(path + "/half"))
            withExtendedLifetime(held) {}
        }
        let link = directory.path("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        HeldDirectory.removeIfLeft(link)
        #expect(HostDirectory.exists(path + "/half"))
        HeldDirectory.removeIfLeft(path)
        #expect(!HostDirectory.exists(path))
    }

    /// Names are told apart byte by byte, and files by what they are.
    @Test func onePlaceByTwoPaths() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a/file", "x")
        try FileManager.default.linkItem(atPath: path, toPath: directory.path("a/other"))
        #expect(HostDirectory.isSame(path, directory.path("a/other")))
        #expect(HostDirectory.isSame(directory.path("a/new"), directory.path("a/../a/new")))
        #expect(!HostDirectory.isSame(directory.path("a/new"), directory.path("new")))
        #expect(!HostDirectory.isSame(directory.path("a/e\u{301}"), directory.path("a/\u{e9}")))
        #expect(!HostDirectory.isSame(path, directory.path("a/new")))
    }
}
