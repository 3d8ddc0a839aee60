import Ext4
import Foundation
import HostIO
import ImageFormats
import Storage
@_spi(Testing) import TestSupport
import Testing
@_spi(Testing) import Undo

/// The power fails at every write to the host file of an image below an ext4 transaction, and between two of its
/// barriers in any order: the image opens, e2fsck -p is content, and the file is the old one or the new one.
@Suite(.enabled(if: Tool.has("qemu-img", "e2fsck", "debugfs", "mke2fs"), "judges are missing"))
struct ImagePowerCutTests {
    private struct Raw {
        let isSound: Bool
        let log: String
        let contents: [UInt8]
        let names: String

        init(_ image: String, in directory: TemporaryDirectory) throws {
            let raw = directory.path("judged.raw")
            let bytes = try ImageProbe.open(image, options: .init(locking: .ignore)).disk
            try directory.write("judged.raw", try bytes.bytes(at: 0, count: Int(bytes.byteCount)))
            let first = try Tool.run("e2fsck", ["-p", raw], expect: nil)
            let second = try Tool.run("e2fsck", ["-fn", raw], expect: nil)
            isSound = first.status <= 1 && second.status == 0
            log = first.text + first.errorText + second.text
            contents = try Tool.run("debugfs", ["-R", "cat /etc/grub.cfg", raw]).output
            names = try Tool.run("debugfs", ["-R", "ls -p /", raw]).text
        }
    }

    @Test(arguments: ["raw", "qcow2", "vhdx", "vpc", "vmdk"], [Profile.ext3, .seeded])
    func oldOrNewBelowEveryFormat(_ format: String, _ profile: Profile) throws {
        let source = try Image(
            profile, blockSize: 1024,
            files: [
                "etc/grub.cfg": Array("timeout=5\n".utf8), "gone": ReplaceContentsTests.contents(20_000),
            ],
            byteCount: 4 << 20, more: ["-J", "size=1"])
        let directory = source.directory
        let path = directory.path("disk.\(format)")
        try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", format, source.path, path])
        let new = ReplaceContentsTests.contents(5000)
        let operations: [HostTransaction.Operation]
        do {
            let disk = try ImageProbe.open(path, options: .init(access: .write)).disk
            let host = try HostTransaction([disk.map.hostFiles[0]])
            let volume = try Ext4FileSystem.open(disk)
            let transaction = try volume.begin()
            try transaction.replaceContents(of: volume.file("/etc/grub.cfg"), with: new)
            try transaction.remove(Array("gone".utf8), in: volume.rootDirectory)
            try transaction.prepare().commit()
            operations = host.recordedOperations
            host.rollBack()
        }
        var last = try Raw(path, in: directory)
        #expect(last.isSound && last.names.contains("gone"))
        let oldSize = last.contents
        // A KiB of a superblock is written whole or not at all: one reordering, not torn.
        try PowerCut.replay(operations, onto: path, reorderings: 1, in: directory) { path, cut in
            last = try Raw(path, in: directory)
            #expect(last.isSound, "\(cut): \(last.log)")
            let isNew = last.contents == new && !last.names.contains("gone")
            let isOld = last.contents == oldSize && last.names.contains("gone")
            #expect(isNew || isOld, "\(cut)")
        }
        #expect(last.contents == new)
    }
}
