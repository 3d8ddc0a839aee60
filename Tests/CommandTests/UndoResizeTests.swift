import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// `undo` of `resize`: the disk becomes shorter, and nothing that a guest has made of the new space since is lost by that.
@Suite(
    .enabled(
        if: Tool.has("mke2fs", "resize2fs", "e2fsck", "qemu-img", "qemu-io", "sfdisk"), "judges are missing"))
struct UndoResizeTests {
    enum Form: String, CaseIterable {
        case raw, flatVMDK, fixedVHD, dynamicVHD, qcow2, vhdx, vdi

        /// For qemu.
        var format: String {
            switch self {
            case .raw, .qcow2, .vhdx, .vdi: rawValue
            case .flatVMDK: "vmdk"
            case .fixedVHD, .dynamicVHD: "vpc"
            }
        }

        var options: [String] {
            switch self {
            case .flatVMDK: ["-o", "subformat=monolithicFlat"]
            case .fixedVHD: ["-o", "subformat=fixed,force_size=on"]
            case .dynamicVHD: ["-o", "subformat=dynamic,force_size=on"]
            // Everything written below lies in what is allocated.
            case .qcow2: ["-o", "cluster_size=2M"]
            case .raw, .vhdx, .vdi: []
            }
        }
    }

    /// A disk of 60 MiB that is an ext4 of one block group, and the files of its image.
    private struct Disk {
        let directory: TemporaryDirectory
        let form: Form
        let path: String
        static let size = 60 << 20

        init(_ form: Form) throws {
            directory = try TemporaryDirectory()
            self.form = form
            let raw = try directory.sparse("fs", byteCount: UInt64(Self.size))
            try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", "-b", "4096", raw])
            path = directory.path("images/disk.\(form.rawValue)")
            try Tool.run("mkdir", [directory.path("images")])
            try Tool.run("qemu-img", ["convert", "-O", form.format] + form.options + [raw, path])
        }

        /// The files of the image by their names, without records.
        func files() throws -> [String: [UInt8]] {
            let folder = directory.path("images")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            return try Dictionary(
                uniqueKeysWithValues: names.filter { !$0.hasSuffix(".undo") }.map {
                    ($0, try fileBytes("\(folder)/\($0)"))
                })
        }

        func raw(_ name: String) throws -> String {
            let out = directory.path(name)
            try Tool.run("qemu-img", ["convert", "-f", form.format, "-O", "raw", path, out])
            return out
        }

        func write(_ commands: [String]) throws {
            try Tool.run("qemu-io", ["-f", form.format] + commands.flatMap { ["-c", $0] } + [path])
        }

        /// Makes the file system as long as the disk, block by block as resize2fs does it on a copy.
        func growFileSystem() throws {
            let grown = try raw("grown")
            let old = try fileBytes(grown)
            try Tool.run("e2fsck", ["-fp", grown], expect: 0...1)
            try Tool.run("resize2fs", [grown])
            let new = try fileBytes(grown)
            #expect(new.count > Self.size)
            var commands: [String] = []
            for start in stride(from: 0, to: new.count, by: 4096) where start + 4096 <= new.count {
                let block = new[start..<start + 4096]
                guard block != old[start..<start + 4096] else { continue }
                // Nothing in the new space: what is lost is not there to be seen.
                #expect(start < Self.size)
                let piece = try directory.write("block-\(start)", Array(block))
                commands.append("write -q -s \(piece) \(start) 4096")
            }
            #expect(!commands.isEmpty)
            try write(commands)
        }

        /// `undo` refuses, writes nothing, and keeps the record.
        func isRefused(_ words: String) throws {
            let before = try files()
            let refused = try Fixture.diskgraft("undo", path, expect: 2...2)
            #expect(refused.errorText.contains(words), "\(form): \(refused.errorText)")
            #expect(refused.errorText.contains("--discard") && refused.errorText.contains("--force"))
            #expect(try files() == before, "\(form)")
        }
    }

    @Test(arguments: Form.allCases) func whatNobodyUsedGoesBack(_ form: Form) throws {
        let disk = try Disk(form)
        let before = try disk.files()
        for _ in 0..<2 { try Fixture.diskgraft("resize", disk.path, "+20M") }
        for _ in 0..<2 { try Fixture.diskgraft("undo", disk.path) }
        #expect(try disk.files() == before)
    }

    @Test(arguments: Form.allCases) func whatTheGuestStoredStays(_ form: Form) throws {
        let disk = try Disk(form)
        try Fixture.diskgraft("resize", disk.path, "+20M")
        try disk.write(["write -q -P 7 70M 64k"])
        try disk.isRefused("not taken back")
        try Fixture.diskgraft("undo", "--discard", disk.path)
        #expect(try fileBytes(disk.raw("out"))[70 << 20] == 7)
    }

    /// One cluster holds the old end and the new space.
    @Test func whatTheGuestStoredInAnAllocatedClusterStays() throws {
        let disk = try Disk(.qcow2)
        try disk.write(["write -q -P 0 0 60M"])
        try Fixture.diskgraft("resize", disk.path, "61M")
        try disk.write(["write -q -P 3 60M 512"])
        try Fixture.diskgraft("resize", disk.path, "+512")
        let end = 61 << 20
        try disk.write(["write -q -P 3 \(end) 512"])
        try disk.isRefused("not zeros lies behind")
    }

    /// Behind the old end are zeros alone, and the file system counts on them.
    @Test(arguments: Form.allCases) func aFileSystemThatGrewStaysWhole(_ form: Form) throws {
        let disk = try Disk(form)
        try Fixture.diskgraft("resize", disk.path, "+20M")
        try disk.growFileSystem()
        try disk.isRefused("not taken back")
        let out = try disk.raw("out")
        try Tool.run("e2fsck", ["-fn", out])
        if form == .raw || form == .qcow2 {
            #expect(
                try Fixture.diskgraft("undo", disk.path, expect: 2...2).errorText.contains(
                    "so it has been used since"))
        }
        // With force it is shorter than its file system, which is said.
        let forced = try Fixture.diskgraft("undo", "--force", disk.path, expect: 0...1)
        #expect(form != .raw || forced.status == 1, "\(forced.text) \(forced.errorText)")
    }

    /// The table says how long the disk is, wherever it is written.
    @Test(arguments: ["dos", "gpt"]) func aPartitionThatGrewStaysWhole(_ label: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 20 << 20)
        func table(_ size: String) throws {
            let quiet = ["-q", "--no-reread", "--no-tell-kernel", "--wipe", "never", path]
            try Tool.run("sfdisk", quiet, input: "label: \(label)\nstart=2048,size=\(size)\n")
        }
        try table("16M")
        try Fixture.diskgraft("resize", path, "+20M")
        try table("24M")
        let now = try fileBytes(path)
        let refused = try Fixture.diskgraft("undo", path, expect: 2...2)
        #expect(refused.errorText.contains("not taken back"), "\(refused.errorText)")
        if label == "dos" { #expect(refused.errorText.contains("partition 1 ends")) }
        #expect(try fileBytes(path) == now)
    }

    /// A change that was cut off after it had set the length: nobody rolls it back, `undo` no more than the next writer.
    @Test func aCutOffChangeDoesNotShortenAFileSystem() throws {
        let disk = try Disk(.raw)
        let before = try disk.files()
        func cut() throws {
            let file = try RecordedFile.open(disk.path, locking: .ignore)
            let transaction = try HostTransaction(
                [file], memoryLimit: 4000, diskLengthBefore: UInt64(Disk.size))
            try file.truncate(to: UInt64(Disk.size) + 20 << 20)
            try file.write([UInt8](repeating: 7, count: 8192), at: 50 << 20)
            try file.flush()
            withExtendedLifetime(transaction) {}
        }
        try cut()
        try Fixture.diskgraft("undo", disk.path)
        #expect(try disk.files() == before)

        try cut()
        try disk.growFileSystem()
        try disk.isRefused("so it has been used since")
        let now = try disk.files()
        let refused = try Fixture.diskgraft("label", "--volume", "disk", disk.path, "x", expect: 2...2)
        #expect(
            refused.errorText.contains("so it has been used since") && refused.errorText.contains("--discard")
        )
        #expect(try disk.files() == now)
        try Fixture.diskgraft("undo", "--discard", disk.path)
        try Fixture.diskgraft("label", "--volume", "disk", disk.path, "x")
    }

    /// XFS and its kernel: the whole way.
    @Test(
        .enabled(
            if: LoopDevices.areThere && Tool.has("mkfs.xfs", "xfs_growfs", "cmp"),
            "needs root and loop devices"))
    func aFileInTheNewSpaceOfXFSStays() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 310 << 20)
        try Tool.run("mkfs.xfs", ["-q", path])
        try Fixture.diskgraft("resize", path, "+100M")
        let point = directory.path("mnt")
        try Tool.run("mkdir", [point])
        do {
            let device = try LoopDevices.attach(path)
            defer { _ = try? Tool.run("losetup", ["-d", device]) }
            try Tool.run("mount", [device, point])
            defer { _ = try? Tool.run("umount", [point]) }
            try Tool.run("xfs_growfs", [point])
        }
        try Tool.run("cp", ["--sparse=always", path, directory.path("guest")])
        let refused = try Fixture.diskgraft("undo", path, expect: 2...2)
        #expect(refused.errorText.contains("not taken back"), "\(refused.errorText)")
        #expect(try Tool.run("cmp", [path, directory.path("guest")], expect: nil).status == 0)
    }
}
