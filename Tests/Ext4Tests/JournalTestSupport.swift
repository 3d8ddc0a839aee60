import Ext4
import Glibc
import Storage
import TestSupport
import Testing

/// Just enough of ext4 to find the journal of an undamaged image, independent of the reader under test.
struct RawExt4 {
    let device: any BlockDevice
    let blockSize: Int
    let blockCount: UInt64
    let inodesPerGroup: UInt32
    let inodeSize: Int
    let descriptorSize: Int
    let firstDataBlock: UInt32

    init(_ device: any BlockDevice) throws {
        self.device = device
        let superblock = try device.bytes(at: 1024, count: 1024)
        blockSize = 1024 << Int(superblock.little(0x18, as: UInt32.self))
        let is64 = superblock.little(0x60, as: UInt32.self) & 0x80 != 0
        let high: UInt32 = is64 ? superblock.little(0x150) : 0
        blockCount = UInt64(superblock.little(4, as: UInt32.self)) | UInt64(high) << 32
        inodesPerGroup = superblock.little(0x28)
        inodeSize = Int(superblock.little(0x58, as: UInt16.self))
        descriptorSize = is64 ? Int(superblock.little(0xfe, as: UInt16.self)) : 32
        firstDataBlock = superblock.little(0x14)
    }

    func block(_ number: UInt64) throws -> [UInt8] {
        try device.bytes(at: number * UInt64(blockSize), count: blockSize)
    }

    /// The byte at which an inode lies.
    func inodeOffset(_ number: UInt32) throws -> UInt64 {
        let group = (number - 1) / inodesPerGroup
        let table = UInt64(firstDataBlock + 1) * UInt64(blockSize)
        let descriptor = try device.bytes(
            at: table + UInt64(group) * UInt64(descriptorSize), count: descriptorSize)
        let start: UInt32 = descriptor.little(8)
        return UInt64(start) * UInt64(blockSize)
            + UInt64((number - 1) % inodesPerGroup) * UInt64(inodeSize)
    }

    /// The blocks of a file, in order; holes are left out.
    func blocks(ofInode number: UInt32) throws -> [UInt64] {
        let inode = try device.bytes(at: inodeOffset(number), count: 128)
        let root = Array(inode[0x28..<0x64])
        if inode.little(0x20, as: UInt32.self) & 0x80000 != 0 { return try extents(root) }
        var result: [UInt64] = []
        for slot in 0..<15 {
            let block = UInt64(root.little(slot * 4, as: UInt32.self))
            try indirect(block, depth: max(0, slot - 11), into: &result)
        }
        return result
    }

    private func extents(_ node: [UInt8]) throws -> [UInt64] {
        var result: [UInt64] = []
        for index in 0..<Int(node.little(2, as: UInt16.self)) {
            let at = 12 + index * 12
            if node.little(6, as: UInt16.self) > 0 {
                let child =
                    UInt64(node.little(at + 8, as: UInt16.self)) << 32
                    | UInt64(node.little(at + 4, as: UInt32.self))
                result += try extents(block(child))
            } else {
                let start =
                    UInt64(node.little(at + 6, as: UInt16.self)) << 32
                    | UInt64(node.little(at + 8, as: UInt32.self))
                result += (0..<UInt64(node.little(at + 4, as: UInt16.self))).map { start + $0 }
            }
        }
        return result
    }

    private func indirect(_ block: UInt64, depth: Int, into result: inout [UInt64]) throws {
        guard block != 0 else { return }
        guard depth > 0 else { return result.append(block) }
        let pointers = try self.block(block)
        for slot in 0..<blockSize / 4 {
            try indirect(
                UInt64(pointers.little(slot * 4, as: UInt32.self)), depth: depth - 1, into: &result)
        }
    }

    /// The journal of inode 8.
    func journalFile() throws -> JournalFile {
        var runs: [JournalRun] = []
        for (index, block) in try blocks(ofInode: 8).enumerated() {
            if let last = runs.last, last.deviceBlock + UInt64(last.count) == block {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(JournalRun(first: UInt32(index), deviceBlock: block, count: 1))
            }
        }
        return try JournalFile(
            device: device, blockSize: blockSize, fileSystemBlockCount: blockCount, runs: runs)
    }
}

/// CRC-32C over pieces as ext4 and JBD2 chain it: from all ones, without final xor.
func crc32c(_ pieces: [[UInt8]]) -> UInt32 {
    pieces.reduce(~0) { CRC32C.update($0, $1.span8) }
}

/// Writes logs by hand, so that what reads them is not judged by what writes them in the engine. Everything is
/// kept in memory; `image` is the whole file system with RECOVER set.
final class LogBuilder {
    enum Checksums: CaseIterable { case none, v1, v2, v3 }

    struct Options {
        var checksums = Checksums.none
        var wide = false
        var asynchronous = false
        /// Makes the journal superblock at byte `sb` say so, with a log from block `start` on.
        func declare(in image: inout [UInt8], at sb: Int, start: UInt32, sequence: UInt32) {
            image.storeBig(UInt32(checksums == .v1 ? 1 : 0), at: sb + 0x24)
            image.storeBig(incompatible, at: sb + 0x28)
            image.storeBig(sequence, at: sb + 0x18)
            image.storeBig(start, at: sb + 0x1c)
            if checksums == .v2 || checksums == .v3 {
                image[sb + 0x50] = 4
                image.storeBig(UInt32(0), at: sb + 0xfc)
                image.storeBig(crc32c([Array(image[sb..<sb + 1024])]), at: sb + 0xfc)
            }
        }

        var incompatible: UInt32 {
            var bits: UInt32 = 1
            if wide { bits |= 2 }
            if asynchronous { bits |= 4 }
            if checksums == .v2 { bits |= 8 }
            if checksums == .v3 { bits |= 0x10 }
            return bits
        }
    }

    /// A block to be logged.
    struct Copy {
        var block: UInt64
        var contents: [UInt8]
    }

    enum Part {
        /// Copies of blocks, and whether the contents are to be escaped as their first word asks.
        case blocks([Copy])
        case revoke([UInt64])
        case commit(seconds: UInt64)
    }

    private(set) var image: [UInt8]
    let blockSize: Int
    let journalBlocks: [UInt64]
    let options: Options
    let first: UInt32
    let end: UInt32
    private var uuid: [UInt8]
    private var position: UInt32
    private var sequence: UInt32
    private var crc: UInt32 = ~0

    init(_ image: [UInt8], options: Options, start: UInt32, sequence: UInt32) throws {
        let raw = try RawExt4(MemoryDevice(image))
        blockSize = raw.blockSize
        journalBlocks = try raw.blocks(ofInode: 8)
        self.image = image
        self.options = options
        let sb = Int(journalBlocks[0]) * blockSize
        first = image.big(sb + 0x14)
        end = image.big(sb + 0x10)
        uuid = Array(image[sb + 0x30..<sb + 0x40])
        position = start
        self.sequence = sequence
        options.declare(in: &self.image, at: sb, start: start, sequence: sequence)
        setRecover()
    }

    /// Sets RECOVER in the superblock, and its checksum where there is one.
    private func setRecover() {
        let features: UInt32 = image.little(1024 + 0x60)
        image.storeLittle(features | 4, at: 1024 + 0x60)
        if image.little(1024 + 0x64, as: UInt32.self) & 0x400 != 0 {
            image.storeLittle(crc32c([Array(image[1024..<2044])]), at: 2044)
        }
    }

    private var hasTail: Bool { options.checksums == .v2 || options.checksums == .v3 }

    /// Where block `index` of the journal lies in the image.
    func offset(_ index: UInt32) -> Int { Int(journalBlocks[Int(index)]) * blockSize }

    /// The next log block, and the position moves on around the ring.
    private func take() -> UInt32 {
        let block = position
        position = position + 1 == end ? first : position + 1
        return block
    }

    private func seal(_ block: inout [UInt8], field: Int) {
        guard hasTail else { return }
        block.storeBig(UInt32(0), at: field)
        block.storeBig(crc32c([uuid, block]), at: field)
    }

    private func store(_ block: [UInt8], at index: UInt32) {
        let at = offset(index)
        image.replaceSubrange(at..<at + blockSize, with: block)
    }

    private func header(_ kind: UInt32) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockSize)
        block.storeBig(0xc03b_3998 as UInt32, at: 0)
        block.storeBig(kind, at: 4)
        block.storeBig(sequence, at: 8)
        return block
    }

    /// Appends parts; a commit ends the transaction. Returns the log blocks written, in order.
    @discardableResult
    func append(_ parts: Part...) -> [UInt32] {
        var written: [UInt32] = []
        for part in parts {
            switch part {
            case .blocks(let copies):
                written += appendBlocks(copies)
            case .revoke(let blocks):
                var block = header(5)
                let width = options.wide ? 8 : 4
                for (index, revoked) in blocks.enumerated() {
                    if options.wide {
                        block.storeBig(revoked, at: 16 + index * width)
                    } else {
                        block.storeBig(UInt32(revoked), at: 16 + index * width)
                    }
                }
                block.storeBig(UInt32(16 + blocks.count * width), at: 12)
                seal(&block, field: blockSize - 4)
                written.append(take())
                store(block, at: written[written.count - 1])
            case .commit(let seconds):
                var block = header(2)
                block.storeBig(seconds, at: 0x30)
                if options.checksums == .v1 {
                    block[0xc] = 1
                    block[0xd] = 4
                    block.storeBig(crc, at: 0x10)
                }
                seal(&block, field: 0x10)
                written.append(take())
                store(block, at: written[written.count - 1])
                sequence &+= 1
                crc = ~0
            }
        }
        return written
    }

    private func appendBlocks(_ copies: [Copy]) -> [UInt32] {
        var descriptor = header(1)
        let at = take()
        var written = [at]
        var logged: [[UInt8]] = []
        var offset = 12
        for (index, copy) in copies.enumerated() {
            var contents = copy.contents
            var flags: UInt32 = index == 0 ? 0 : 2
            if index == copies.count - 1 { flags |= 8 }
            if contents.big(0, as: UInt32.self) == 0xc03b_3998 {
                contents.storeBig(UInt32(0), at: 0)
                flags |= 1
            }
            var number = [UInt8](repeating: 0, count: 4)
            number.storeBig(sequence, at: 0)
            let sum = crc32c([uuid, number, contents])
            descriptor.storeBig(UInt32(truncatingIfNeeded: copy.block), at: offset)
            if options.checksums == .v3 {
                descriptor.storeBig(flags, at: offset + 4)
                descriptor.storeBig(UInt32(truncatingIfNeeded: copy.block >> 32), at: offset + 8)
                descriptor.storeBig(sum, at: offset + 12)
                offset += 16
            } else {
                if options.checksums == .v2 {
                    descriptor.storeBig(UInt16(truncatingIfNeeded: sum), at: offset + 4)
                }
                descriptor.storeBig(UInt16(flags), at: offset + 6)
                offset += 8
                if options.wide {
                    descriptor.storeBig(UInt32(truncatingIfNeeded: copy.block >> 32), at: offset)
                    offset += 4
                }
                if options.checksums == .v2 { offset += 2 }
            }
            if index == 0 {
                descriptor.replaceSubrange(offset..<offset + 16, with: uuid)
                offset += 16
            }
            logged.append(contents)
        }
        seal(&descriptor, field: blockSize - 4)
        store(descriptor, at: at)
        crc = CRC32BigEndian.update(crc, descriptor.span8)
        for contents in logged {
            let block = take()
            written.append(block)
            store(contents, at: block)
            crc = CRC32BigEndian.update(crc, contents.span8)
        }
        return written
    }

    /// A block full of one byte; escaped: with the journal's magic number in front.
    func copy(_ block: UInt64, _ byte: UInt8, escaped: Bool = false) -> Copy {
        var contents = [UInt8](repeating: byte, count: blockSize)
        if escaped { contents.storeBig(0xc03b_3998 as UInt32, at: 0) }
        return Copy(block: block, contents: contents)
    }

    /// Changes a byte of a log block after the fact.
    func damage(_ index: UInt32, byte: Int) { image[offset(index) + byte] ^= 0x5a }
}

/// Images that the tests of the journal share.
enum JournalImages {
    /// A file system made by mke2fs; `options` go before the image's name.
    static func make(_ options: [String], mebibytes: Int = 8) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.sparse("image", byteCount: UInt64(mebibytes) << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-m", "0"] + options + [path])
        return try fileBytes(path)
    }

    static func ext3(blockSize: Int = 1024) throws -> [UInt8] {
        try make(["-t", "ext3", "-b", "\(blockSize)", "-J", "size=\(blockSize == 1024 ? 1 : 4)"])
    }

    /// Bytes of `image` as the replay map shows them.
    static func replayed(
        _ image: [UInt8], policy: Journal.ScanPolicy = .strict
    ) throws -> (bytes: [UInt8], replay: JournalReplay) {
        let device = MemoryDevice(image)
        let file = try RawExt4(device).journalFile()
        let replay = try Journal(file).scan(policy: policy)
        let view = ReplayedDevice(file, replay)
        let bytes = try view.bytes(at: 0, count: image.count)
        try BlockDeviceSuite.reads(view, bytes)
        #expect(device.events.isEmpty)
        return (bytes, replay)
    }

    /// What e2fsck makes of the same image when it only replays the journal.
    static func replayedByE2fsck(_ image: [UInt8], expect: ClosedRange<Int32> = 0...1) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("image", image)
        try Tool.run("e2fsck", ["-y", "-E", "journal_only", path], expect: expect)
        return try fileBytes(path)
    }

    /// What debugfs makes of it; unlike e2fsck it leaves orphaned inodes alone.
    static func replayedByDebugfs(_ image: [UInt8]) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("image", image)
        try Tool.run("debugfs", ["-w", "-R", "journal_run", path])
        return try fileBytes(path)
    }

    /// The blocks in which two images differ, without the superblock and the journal's first block, in which a
    /// replay notes that it has happened.
    static func differences(_ left: [UInt8], _ right: [UInt8]) throws -> [Int] {
        let raw = try RawExt4(MemoryDevice(left))
        let ignored: Set<Int> = [1024 / raw.blockSize, Int(try raw.blocks(ofInode: 8)[0])]
        return differingBlocks(left, right, blockSize: raw.blockSize).filter { !ignored.contains($0) }
    }
}

/// The numbers of the blocks in which two images of one size differ.
func differingBlocks(_ left: [UInt8], _ right: [UInt8], blockSize: Int) -> [Int] {
    unsafe left.withUnsafeBytes { left in
        unsafe right.withUnsafeBytes { right in
            (0..<left.count / blockSize).filter { block in
                guard let one = left.baseAddress, let two = right.baseAddress else { return false }
                return unsafe memcmp(one + block * blockSize, two + block * blockSize, blockSize) != 0
            }
        }
    }
}
