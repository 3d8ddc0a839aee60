internal import Storage

/// One entry of the log: a header, descriptors, and a sector for each data descriptor ([MS-VHDX] 2.3.1).
struct VHDXLogEntry: Sendable {
    static let sectorSize = 4096
    static let headerSize = 64
    static let descriptorSize = 32
    static let signature = Array("loge".utf8)
    static let dataDescriptor = Array("desc".utf8)
    static let zeroDescriptor = Array("zero".utf8)
    static let dataSector = Array("data".utf8)

    /// What an entry does to the file.
    enum Change: Equatable, Sendable {
        /// Puts 4096 bytes at `offset`.
        case data(offset: UInt64, bytes: [UInt8])
        /// Makes `count` bytes at `offset` zero.
        case zero(offset: UInt64, count: UInt64)

        var range: Range<UInt64> {
            switch self {
            case .data(let offset, let bytes): offset..<offset + UInt64(bytes.count)
            case .zero(let offset, let count): offset..<offset + count
            }
        }
    }

    /// The header of an entry, before its checksum is looked at.
    struct Header: Sendable {
        var length: UInt32
        /// Where the first entry lies that has to be replayed with this one, from the log's start.
        var tail: UInt32
        var sequence: UInt64
        var descriptorCount: UInt32
        /// The file was at least this long when the entry was written.
        var flushedFileOffset: UInt64
        /// The file has to be at least this long after the replay.
        var lastFileOffset: UInt64

        /// Nil unless it can be one of a log of `logLength` bytes with this GUID.
        init?(_ bytes: RawSpan, guid: UUID16, logLength: UInt64) {
            guard bytes.byteCount >= headerSize, bytes.matches(signature),
                UUID16(mixedEndian: bytes, at: 32) == guid
            else { return nil }
            length = bytes.little(8)
            tail = bytes.little(12)
            sequence = bytes.little(16)
            descriptorCount = bytes.little(24)
            flushedFileOffset = bytes.little(48)
            lastFileOffset = bytes.little(56)
            guard length >= UInt32(sectorSize), UInt64(length) <= logLength, length % UInt32(sectorSize) == 0,
                UInt64(tail) < logLength, tail % UInt32(sectorSize) == 0, sequence > 0,
                UInt64(headerSize) + UInt64(descriptorCount) * UInt64(descriptorSize) <= UInt64(length)
            else { return nil }
        }
    }

    /// Sectors that header and descriptors take.
    static func descriptorSectors(_ count: Int) -> Int {
        (headerSize + count * descriptorSize).dividedRoundingUp(by: sectorSize)
    }

    /// Parses the changes of an entry whose checksum is right. Nil when a descriptor or data sector contradicts
    /// the header: then the entry is not valid.
    static func changes(_ bytes: [UInt8], _ header: Header) -> [Change]? {
        var changes: [Change] = []
        var nextSector = descriptorSectors(Int(header.descriptorCount)) * sectorSize
        for index in 0..<Int(header.descriptorCount) {
            let at = headerSize + index * descriptorSize
            let offset: UInt64 = bytes.little(at + 16)
            guard bytes.little(at + 24, as: UInt64.self) == header.sequence else { return nil }
            if bytes.span8.matches(zeroDescriptor, at: at) {
                let count: UInt64 = bytes.little(at + 8)
                guard offset +? count != nil else { return nil }
                changes.append(.zero(offset: offset, count: count))
            } else if bytes.span8.matches(dataDescriptor, at: at) {
                guard nextSector + sectorSize <= bytes.count, bytes.span8.matches(dataSector, at: nextSector),
                    bytes.little(nextSector + 4, as: UInt32.self)
                        == UInt32(truncatingIfNeeded: header.sequence >> 32),
                    bytes.little(nextSector + 4092, as: UInt32.self)
                        == UInt32(truncatingIfNeeded: header.sequence),
                    offset +? UInt64(sectorSize) != nil
                else { return nil }
                // The sector's first 8 and last 4 bytes gave way to its marks and are in the descriptor.
                let page =
                    bytes[at + 8..<at + 16] + bytes[nextSector + 8..<nextSector + 4092]
                    + bytes[at + 4..<at + 8]
                changes.append(.data(offset: offset, bytes: Array(page)))
                nextSector += sectorSize
            } else {
                return nil
            }
        }
        return changes
    }

    /// An entry of whole pages, alone in its sequence: its tail is its own place.
    static func encoded(
        pages: [(offset: UInt64, bytes: [UInt8])], sequence: UInt64, position: UInt32, guid: UUID16,
        fileSize: UInt64
    ) -> [UInt8] {
        let head = descriptorSectors(pages.count) * sectorSize
        var entry = [UInt8](repeating: 0, count: head + pages.count * sectorSize)
        let length = UInt32(entry.count)
        entry.withMutableBytes { entry in
            entry.copy(signature.span8, to: 0)
            entry.storeLittle(length, at: 8)
            entry.storeLittle(position, at: 12)
            entry.storeLittle(sequence, at: 16)
            entry.storeLittle(UInt32(pages.count), at: 24)
            entry.copy(guid.mixedEndianBytes.span8, to: 32)
            entry.storeLittle(fileSize, at: 48)
            entry.storeLittle(fileSize, at: 56)
            for (index, page) in pages.enumerated() {
                let at = headerSize + index * descriptorSize
                let bytes = page.bytes.span8
                entry.copy(dataDescriptor.span8, to: at)
                entry.copy(bytes.extracting(4092..<4096), to: at + 4)
                entry.copy(bytes.extracting(0..<8), to: at + 8)
                entry.storeLittle(page.offset, at: at + 16)
                entry.storeLittle(sequence, at: at + 24)
                let sector = head + index * sectorSize
                entry.copy(dataSector.span8, to: sector)
                entry.storeLittle(UInt32(truncatingIfNeeded: sequence >> 32), at: sector + 4)
                entry.copy(bytes.extracting(8..<4092), to: sector + 8)
                entry.storeLittle(UInt32(truncatingIfNeeded: sequence), at: sector + 4092)
            }
        }
        VHDXChecksum.seal(&entry, field: 4)
        return entry
    }
}
