import Foundation
import HostIO
import ImageFormats
import Storage
@_spi(Testing) import TestSupport
import Testing
@_spi(Testing) import Undo

/// An image of some kind that is about to become longer.
struct GrowCase: Sendable, CustomStringConvertible {
    let description: String
    let format: ImageFormat
    var options: [(key: String, value: String)] = []
    var oldSize: UInt64 = 6 << 20 | 512 * 7
    var newSize: UInt64 = 40 << 20 | 512
    /// Made by qemu-img with these options instead of by us.
    var qemu: [String]?
    var sectorSize: UInt32 = 512

    /// qemu-img's word for the format; nil: it cannot read this kind.
    var judge: String? { sectorSize == 512 ? format == .vhd ? "vpc" : format.rawValue : nil }

    static let all: [GrowCase] = [
        GrowCase(description: "raw", format: .raw),
        GrowCase(description: "fixed VHD", format: .vhd, options: [("subformat", "fixed")]),
        GrowCase(description: "dynamic VHD, entries within the table's sector", format: .vhd),
        GrowCase(
            description: "dynamic VHD, the table moves", format: .vhd, options: [("block_size", "4K")],
            oldSize: 1 << 20 | 512, newSize: 3 << 20),
        GrowCase(description: "dynamic VHD by qemu", format: .vhd, qemu: ["-o", "force_size"]),
        GrowCase(description: "dynamic VHD by qemu, size by geometry", format: .vhd, qemu: []),
        GrowCase(
            description: "fixed VHD by qemu, size by geometry", format: .vhd, qemu: ["-o", "subformat=fixed"]),
        GrowCase(description: "dynamic VHDX", format: .vhdx),
        GrowCase(description: "fixed VHDX", format: .vhdx, options: [("subformat", "fixed")]),
        GrowCase(
            description: "dynamic VHDX, the table moves", format: .vhdx, options: [("block_size", "1M")],
            newSize: 200 << 30),
        GrowCase(
            description: "VHDX of 4096-byte sectors", format: .vhdx, oldSize: 6 << 20 | 4096,
            newSize: 40 << 20 | 4096, sectorSize: 4096),
        GrowCase(description: "dynamic VHDX by qemu", format: .vhdx, oldSize: 6 << 20, qemu: []),
        GrowCase(description: "monolithicSparse VMDK", format: .vmdk, newSize: 30 << 20),
        GrowCase(description: "monolithicSparse VMDK, directories move", format: .vmdk, newSize: 300 << 20),
        GrowCase(description: "monolithicSparse VMDK by qemu", format: .vmdk, newSize: 2 << 30, qemu: []),
        GrowCase(
            description: "monolithicFlat VMDK", format: .vmdk, options: [("subformat", "monolithicFlat")],
            newSize: 20 << 30),
        GrowCase(description: "vmfs VMDK", format: .vmdk, options: [("subformat", "vmfs")]),
        GrowCase(description: "dynamic VDI", format: .vdi),
        GrowCase(description: "static VDI", format: .vdi, options: [("static", "on")]),
        GrowCase(description: "dynamic VDI by qemu", format: .vdi, qemu: []),
        GrowCase(description: "qcow2", format: .qcow2),
        GrowCase(
            description: "qcow2, the L1 table moves", format: .qcow2, options: [("cluster_size", "512")],
            oldSize: 200 << 10 | 512, newSize: 9 << 20),
        GrowCase(
            description: "qcow2 by qemu, compressed", format: .qcow2, qemu: ["-c", "-o", "cluster_size=4096"]),
        GrowCase(
            description: "qcow2 by qemu, version 2", format: .qcow2,
            qemu: ["-o", "compat=0.10,cluster_size=1024"]),
    ]

    /// Makes the image, and the same disk flat beside it.
    func make(_ directory: TemporaryDirectory, seed: UInt64) throws -> (path: String, flat: String) {
        let flat = try scatteredDisk(directory, "flat-\(seed)", byteCount: oldSize, seed: seed)
        let path = directory.path("disk-\(seed).\(format == .raw ? "img" : format.rawValue)")
        if let qemu {
            try Tool.run(
                "qemu-img", ["convert", "-q", "-f", "raw", "-O", judge ?? "raw"] + qemu + [flat, path])
        } else {
            let driver = try ImageProbe.driver(for: format)
            let image = try driver.create(
                path, byteCount: oldSize,
                options: ImageCreateOptions(values: options, sectorSize: sectorSize))
            try copyIn(flat, image.disk)
        }
        return (path, flat)
    }

    func open(_ path: String, _ access: FileAccess = .read) throws -> OpenedImage {
        try ImageProbe.open(
            path, format: format, options: ImageOpenOptions(access: access, locking: .ignore))
    }

    /// What other programs and our own check say of it.
    func judge(_ path: String, same flat: String, byteCount: UInt64) throws {
        if let judge {
            if [.qcow2, .vhdx, .vmdk, .vdi].contains(format) {
                try Tool.run("qemu-img", ["check", "-q", "-f", judge, path])
            }
            let info = try Tool.run("qemu-img", ["info", "--output=json", "-f", judge, path]).text
            #expect(info.contains("\"virtual-size\": \(byteCount)"))
            // qemu-img reads a VHDX's holes, all of them.
            guard byteCount < 100 << 30 || format != .vhdx else { return }
            try Tool.run("truncate", ["-s", "\(byteCount)", flat])
            try Tool.run("qemu-img", ["compare", "-q", "-f", judge, "-F", "raw", path, flat])
        }
        var damage: [Finding] = []
        try ImageProbe.check(path, format: format, locking: .ignore) {
            if $0.severity == .damage { damage.append($0) }
        }
        #expect(damage == [])
    }
}

@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct GrowTests {
    /// Grown, read by others, written in its new part, read by others again.
    @Test(arguments: GrowCase.all)
    func othersReadTheLongerDisk(_ example: GrowCase) throws {
        let directory = try TemporaryDirectory()
        let (path, flat) = try example.make(directory, seed: 3)
        try ImageProbe.grow(try example.open(path, .write), to: example.newSize)
        let grown = try example.open(path).disk
        #expect(grown.byteCount == example.newSize)
        try example.judge(path, same: flat, byteCount: example.newSize)

        let target = try HostFile.open(flat, access: .write, locking: .ignore)
        try target.truncate(to: example.newSize)
        let disk = try example.open(path, .write).disk
        var random = SeededRandom(9)
        let last = example.newSize - 8192
        for place in [example.oldSize - 4096, example.oldSize + 70_144, last] where place <= last {
            let unit = UInt64(example.sectorSize)
            let bytes = random.bytes(8192)
            try disk.write(bytes, at: place / unit * unit)
            try target.write(bytes, at: place / unit * unit)
        }
        try disk.flush()
        try example.judge(path, same: flat, byteCount: example.newSize)
        if example.sectorSize != 512 || example.newSize > 100 << 30 {
            for offset in [0, example.oldSize - 4096, example.oldSize + 65536, last] {
                #expect(try disk.bytes(at: offset, count: 8192) == target.bytes(at: offset, count: 8192))
            }
        }
    }

    /// Whatever a writer left behind the disk's end within its last block, cluster or grain reads as zeros.
    @Test(arguments: GrowCase.all.filter { $0.qemu == nil && $0.sectorSize == 512 && $0.newSize < 1 << 32 })
    func whatLayBehindTheEndIsNotShown(_ example: GrowCase) throws {
        let directory = try TemporaryDirectory()
        // The same image with a longer disk has data there; then the size is put back by hand.
        var longer = example
        longer.oldSize = example.oldSize + 1024
        let path = try longer.make(directory, seed: 4).path
        do {
            let disk = try longer.open(path, .write).disk
            try disk.write([UInt8](repeating: 0xee, count: 1024), at: example.oldSize)
            try disk.flush()
        }
        guard try shorten(path, example, to: example.oldSize) else { return }
        #expect(try example.open(path).disk.byteCount == example.oldSize)
        try ImageProbe.grow(try example.open(path, .write), to: example.newSize)
        let disk = try example.open(path).disk
        #expect(try disk.bytes(at: example.oldSize, count: 65536).allSatisfy { $0 == 0 })
    }

    /// Changes the stored size alone; false for formats where the file's length is the size.
    private func shorten(_ path: String, _ example: GrowCase, to size: UInt64) throws -> Bool {
        var bytes = try fileBytes(path)
        switch example.format {
        case .raw: return false
        case .vhd:
            guard example.options.first?.value != "fixed" else { return false }
            VHDFixture.changeFooters(&bytes) { $0.storeBig(size, at: $1 + 48) }
        case .vhdx:
            // The second item that `create` writes, behind eight bytes of file parameters.
            bytes.storeLittle(size, at: VHDXFixture.metadata + (64 << 10) + 8)
        case .vmdk:
            guard example.options.isEmpty else { return false }
            bytes.storeLittle(size / 512, at: 12)
        case .vdi: bytes.storeLittle(size, at: 368)
        case .qcow2: bytes.storeBig(size, at: 24)
        case .qcow, .qed, .parallels: return false
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return true
    }

    @Test(arguments: GrowCase.all.filter { $0.newSize < 1 << 30 })
    func aPowerCutLeavesTheOldDiskOrTheNewOne(_ example: GrowCase) throws {
        let directory = try TemporaryDirectory()
        let (path, flat) = try example.make(directory, seed: 5)
        // qemu rounds a VHD up to whole cylinders.
        let oldSize = try example.open(path).disk.byteCount
        let old = try fileBytes(flat)
        for file in try example.open(path).disk.map.hostFiles.indices {
            let image = try example.open(path, .write)
            let files = image.disk.map.hostFiles
            let transaction = try HostTransaction(files)
            try ImageProbe.grow(image, to: example.newSize)
            let operations = transaction.recordedOperations
            transaction.rollBack()
            #expect(!operations.isEmpty)
            guard files.count == 1 else {
                // Two files: the extent is longer before the descriptor says so.
                let grows = operations.firstIndex { if case .truncate(1, _) = $0 { true } else { false } }
                let tells = operations.lastIndex { if case .write(0, _, _) = $0 { true } else { false } }
                let first = try #require(grows), second = try #require(tells)
                #expect(first < second && operations[first..<second].contains(.flush(file: 1)))
                continue
            }
            var sizes = Set<UInt64>()
            try PowerCut.replay(
                operations, onto: path, file: file, seed: 6, reorderings: 2, in: directory
            ) { path, cut in
                let disk = try example.open(path).disk
                sizes.insert(disk.byteCount)
                #expect([oldSize, example.newSize].contains(disk.byteCount), "\(cut)")
                #expect(isSame(try disk.bytes(at: 0, count: old.count), old), "\(cut)")
                try example.judgeCut(path, cut, oldSize: oldSize)
            }
            #expect(sizes.contains(example.newSize))
        }
    }
}

extension GrowCase {
    /// Leaks at worst, and the new bytes are zeros. A fixed VHD shows its old footer until that is cleared.
    fileprivate func judgeCut(_ path: String, _ cut: String, oldSize: UInt64) throws {
        let disk = try open(path).disk
        let isFixedVHD = format == .vhd && disk.map.hostFiles.count == 1 && description.contains("fixed")
        let from = oldSize + (isFixedVHD ? 512 : 0)
        if disk.byteCount > from {
            let count = Int(min(disk.byteCount - from, 300_000))
            #expect(try disk.bytes(at: from, count: count).allSatisfy { $0 == 0 }, "\(cut)")
        }
        var damage: [Finding] = []
        try ImageProbe.check(path, format: format, locking: .ignore) {
            if $0.severity == .damage { damage.append($0) }
        }
        #expect(damage == [], "\(cut)")
        if format == .qcow2 {
            try Tool.run("qemu-img", ["check", "-q", "-f", "qcow2", path], expect: nil).requireNoErrors(path)
        }
    }
}
