import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing

/// Children of VMware's disks, as qemu-img sees them.
struct VMDKChildTests {
    /// A parent of a kind with data in it, and its bytes.
    private func parent(
        _ path: String, _ kind: String, _ directory: TemporaryDirectory
    ) throws -> (path: String, bytes: [UInt8]) {
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: (5 << 20) + 512, seed: 21)
        try Tool.run(
            "qemu-img", ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(kind)", raw.path, path])
        return (path, raw.bytes)
    }

    private func value(_ key: String, _ path: String) throws -> String? {
        let bytes = try fileBytes(path)
        let start = bytes.starts(with: Array("KDMV".utf8)) ? 512 : 0
        let text = String(decoding: bytes[start...].prefix { $0 != 0 }, as: UTF8.self)
        return text.split(separator: "\n").first { $0.hasPrefix("\(key)=") }.map {
            $0.dropFirst(key.count + 1).filter { $0 != "\"" }
        }
    }

    @Test(arguments: ["monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "streamOptimized"])
    func aChildShowsItsParentAndWhatWasWritten(kind: String) throws {
        let directory = try TemporaryDirectory()
        var (parent, bytes) = try parent(directory.path("base.vmdk"), kind, directory)
        let before = try fileBytes(parent)
        let path = directory.path("child.vmdk")
        var options = ImageCreateOptions(parent: parent)
        options.parentFormat = .vmdk
        do {
            let image = try VMDKDriver.create(path, byteCount: 0, options: options)
            #expect(image.disk.byteCount == UInt64(bytes.count))
            #expect(image.info.references.map(\.name) == ["base.vmdk"])
            #expect(isSame(try VMDKFixtures.contents(image.disk), bytes))
            // Parts of grains take the rest from the parent.
            for (start, value) in [(70_000, 3), (3 << 20, 4), (bytes.count - 700, 5)] as [(Int, UInt8)] {
                let data = [UInt8](repeating: value, count: 600)
                try image.disk.write(data, at: UInt64(start))
                bytes.replaceSubrange(start..<start + 600, with: data)
            }
            try image.disk.flush()
            #expect(isSame(try VMDKFixtures.contents(image.disk), bytes))
        }
        #expect(try value("createType", path) == "monolithicSparse")
        #expect(try value("parentFileNameHint", path) == "base.vmdk")
        let identifier = try #require(try value("CID", parent))
        #expect(
            UInt32(try #require(try value("parentCID", path)), radix: 16) == UInt32(identifier, radix: 16))
        let flat = try directory.write("flat.raw", bytes)
        try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", "vmdk", flat, path])
        let info = try Tool.run("qemu-img", ["info", "-U", path]).text
        #expect(info.contains("backing file: base.vmdk"))
        // qemu takes it as its own child: a write through it leaves the parent alone.
        try Tool.run("qemu-io", ["-f", "vmdk", "-c", "write -P 9 1M 4k", path])
        #expect(try fileBytes(parent) == before)
    }

    /// The way from where the child will stand, or the caller's own words.
    @Test func theParentIsNamedFromTheChildsPlace() throws {
        let directory = try TemporaryDirectory()
        for name in ["bases", "hidden"] {
            try FileManager.default.createDirectory(
                atPath: directory.path(name), withIntermediateDirectories: false)
        }
        let parent = try parent(directory.path("bases/base.vmdk"), "monolithicSparse", directory).path
        var options = ImageCreateOptions(parent: parent, finalPath: directory.path("child.vmdk"))
        try VMDKDriver.create(directory.path("hidden/child.vmdk"), byteCount: 0, options: options).disk
            .flush()
        #expect(try value("parentFileNameHint", directory.path("hidden/child.vmdk")) == "bases/base.vmdk")
        options.parentName = "./bases/../bases/base.vmdk"
        let other = directory.path("other.vmdk")
        try VMDKDriver.create(other, byteCount: 0, options: options).disk.flush()
        #expect(try value("parentFileNameHint", other) == options.parentName)
        try Tool.run("qemu-img", ["compare", "-f", "vmdk", "-F", "vmdk", parent, other])
    }

    @Test func whatCannotBeAParentIsRefused() throws {
        let directory = try TemporaryDirectory()
        let (parent, bytes) = try parent(directory.path("base.vmdk"), "monolithicSparse", directory)
        func code(
            _ parent: String, size: UInt64 = 0, name: String? = nil,
            _ values: [(key: String, value: String)] = []
        ) -> String? {
            var options = ImageCreateOptions(values: values, parent: parent)
            options.parentName = name
            do throws(StorageError) {
                _ = try VMDKDriver.create(directory.path("child.vmdk"), byteCount: size, options: options)
            } catch {
                return error.code
            }
            return nil
        }
        #expect(code(parent, size: UInt64(bytes.count) + 512) == "disk-size")
        #expect(code(parent, name: "a\"b.vmdk") == "file-name")
        #expect(code(parent, name: String(repeating: "long/", count: 2100) + "base.vmdk") == "file-name")
        for kind in ["vmfs", "monolithicFlat", "twoGbMaxExtentSparse", "streamOptimized"] {
            #expect(code(parent, [("subformat", kind)]) == "option")
        }
        #expect(code(directory.path("none.vmdk")) != nil)
        #expect(code(try directory.write("text.vmdk", "no disk")) == "not-a-descriptor")
        // A parent that says it has the number which means none.
        var text = try fileBytes(parent)
        let place = try #require(String(decoding: text[512..<1024], as: UTF8.self).range(of: "\nCID="))
        let start = 512 + String(decoding: text[512..<1024], as: UTF8.self)[..<place.upperBound].utf8.count
        text.replaceSubrange(start..<start + 8, with: Array("ffffffff".utf8))
        #expect(code(try directory.write("none-such.vmdk", text)) == "content-id")
        #expect(!FileManager.default.fileExists(atPath: directory.path("child.vmdk")))
        #expect(code(parent, size: UInt64(bytes.count)) == nil)
    }
}
