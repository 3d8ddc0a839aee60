import Foundation
import Storage
import TestSupport
import Testing

/// Files that an image names: none but a regular file beside it, by its plain name, and a parent only where asked.
@Suite(.enabled(if: Tool.has("qemu-img", "mkfifo", "ln"), "judges are missing"))
struct ReferenceTests {
    /// Names that lead elsewhere, and those that lead to no regular file.
    private static let hostile = [
        "../secret", "/etc/passwd", "sub/secret", "sub/../plain", "./../secret", "..", ".", "link", "hard/",
        "fifo",
        "sub", "/dev/zero", "/proc/self/mem", "..\\secret", "plain\n", "file:///etc/passwd",
    ]

    private static func place(in directory: TemporaryDirectory) throws -> String {
        let place = directory.path("images")
        try Tool.run(
            "sh",
            [
                "-c",
                """
                mkdir -p "$0/sub" && cd "$0" && head -c 1048576 /dev/zero | tr '\\0' S > ../secret && cp ../secret sub/secret
                cp ../secret plain && ln -s ../secret link && mkfifo fifo
                """, place,
            ])
        return place
    }

    @Test(arguments: hostile)
    func extentsOfADescriptor(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let place = try Self.place(in: directory)
        func descriptor(_ extent: String) throws -> String {
            try directory.write(
                "images/disk.vmdk",
                """
                # Disk DescriptorFile
                version=1
                CID=12345678
                parentCID=ffffffff
                createType="monolithicFlat"
                RW 2048 FLAT "\(extent)" 0
                ddb.adapterType = "ide"

                """)
        }
        let image = try descriptor(name)
        let out = place + "/out.raw"
        let result = try Fixture.diskgraft("convert", image, out, expect: 1...2)
        #expect(!FileManager.default.fileExists(atPath: out), "\(result.errorText)")
        try Fixture.diskgraft("put", image, place + "/plain", "/x", expect: 1...2)
        #expect(try fileBytes(directory.path("secret")).allSatisfy { $0 == UInt8(ascii: "S") })
        // The plain name of a regular file is what a descriptor is for.
        try Fixture.diskgraft("convert", try descriptor("plain"), out)
        #expect(try fileBytes(out).count == 1 << 20)
    }

    @Test(arguments: hostile)
    func backingFiles(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let place = try Self.place(in: directory)
        let image = place + "/disk.qcow2"
        try Tool.run(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-u", "-F", "raw", "-b", name, image, "1M"],
            directory: place)
        let out = place + "/out.raw"
        for flags in [[], ["--allow-siblings"]] {
            try Tool.run(Fixture.command, ["convert", image, out] + flags, expect: 1...2)
            #expect(!FileManager.default.fileExists(atPath: out))
        }
        // Naming it opens nothing.
        #expect(try Fixture.diskgraft("info", image).text.contains("backing file"))
    }

    @Test func aParentIsOpenedWhereAskedOnly() throws {
        let directory = try TemporaryDirectory()
        let place = try Self.place(in: directory)
        let image = place + "/disk.qcow2"
        try Tool.run(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-u", "-F", "raw", "-b", "plain", image, "1M"],
            directory: place)
        let out = place + "/out.raw"
        try Fixture.diskgraft("convert", image, out, expect: 2...2)
        try Fixture.diskgraft("convert", "--allow-siblings", image, out)
        #expect(try fileBytes(out).first == UInt8(ascii: "S"))
    }
}
