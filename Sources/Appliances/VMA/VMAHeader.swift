internal import Machines
internal import Storage

/// The header of a backup of Proxmox VE (vma_spec.txt, version 1): which devices were saved, and the files that describe the
/// machine. Numbers are big-endian but for the lengths within the blob.
struct VMAHeader {
    /// A device that was saved.
    struct Device {
        /// The number that extents give it, 1 to 255.
        let number: Int
        /// QEMU's name of it: "drive-scsi0".
        let name: [UInt8]
        /// Its length in bytes.
        let byteCount: UInt64
    }

    /// What every extent repeats.
    let identifier: [UInt8]
    /// The devices, by number.
    let devices: [Device]
    /// The files that were saved with them, by name.
    let files: [(name: [UInt8], contents: [UInt8])]
    /// Where the first extent lies.
    let byteCount: UInt64

    static let magic: [UInt8] = Array("VMA".utf8) + [0]
    /// The part before the blob.
    private static let fixedByteCount = 12_288
    /// Headers that Proxmox's own reader takes.
    private static let limit = 2 << 20
    /// Numbers that a device can have; 0 is none's.
    static let slots = 256

    /// Reads the header of `file`. Throws `corrupt` where it is damaged, `unsupported` for other versions.
    init(_ file: any ByteFile) throws(StorageError) {
        let fixed = try file.availableBytes(at: 0, count: Self.fixedByteCount)
        guard fixed.count == Self.fixedByteCount, fixed.starts(with: Self.magic) else {
            throw Self.damaged("is shorter than its header", 0)
        }
        let head = fixed.span8
        let version = head.big(4, as: UInt32.self)
        guard version == 1 else {
            throw .appliance(
                .unsupported, .vmaVersion, "is of version \(version); 1 is read", structure: "header",
                offset: 4)
        }
        guard let length = Int(exactly: head.big(56, as: UInt32.self)),
            let blobStart = Int(exactly: head.big(48, as: UInt32.self)),
            let blobLength = Int(exactly: head.big(52, as: UInt32.self)),
            let blobEnd = blobStart +? blobLength,
            length >= Self.fixedByteCount, length <= Self.limit, length % 512 == 0,
            blobStart >= Self.fixedByteCount, blobEnd <= length
        else {
            throw Self.damaged("gives its blob or itself a place that cannot be", 48)
        }
        var whole = try file.availableBytes(at: 0, count: length)
        guard whole.count == length else { throw Self.damaged("is cut off within its header", 56) }
        let stored = Array(whole[32..<48])
        whole.replaceSubrange(32..<48, with: repeatElement(0, count: 16))
        guard try Digest.md5(whole.span8) == stored else {
            throw Self.damaged("has another checksum than it says", 32)
        }

        byteCount = UInt64(length)
        identifier = Array(whole[8..<24])
        let blob = whole[blobStart..<blobEnd]
        var devices: [Device] = []
        for number in 1..<Self.slots {
            let place = 4096 + number * 32
            let pointer = head.big(place, as: UInt32.self)
            let size = head.big(place + 8, as: UInt64.self)
            guard pointer != 0 else { continue }
            guard size > 0, size <= UInt64(Int64.max) else {
                throw Self.damaged("has a device of \(size) bytes", place + 8)
            }
            devices.append(
                Device(number: number, name: try Self.text(blob, pointer, at: place), byteCount: size))
        }
        self.devices = devices
        var files: [(name: [UInt8], contents: [UInt8])] = []
        for slot in 0..<Self.slots {
            let name = head.big(2044 + slot * 4, as: UInt32.self)
            guard name != 0 else { continue }
            files.append(
                (
                    try Self.text(blob, name, at: 2044 + slot * 4),
                    try Self.entry(blob, head.big(3068 + slot * 4, as: UInt32.self), at: 3068 + slot * 4)
                ))
        }
        self.files = files
    }

    /// A text of the blob, without the zero at its end.
    private static func text(_ blob: ArraySlice<UInt8>, _ pointer: UInt32, at place: Int) throws(StorageError)
        -> [UInt8]
    {
        Array(try entry(blob, pointer, at: place).prefix { $0 != 0 })
    }

    /// The bytes that `pointer`, counted from the blob's start, points to: their number in two bytes, little-endian, and they.
    private static func entry(
        _ blob: ArraySlice<UInt8>, _ pointer: UInt32, at place: Int
    ) throws(StorageError) -> [UInt8] {
        guard let offset = Int(exactly: pointer), let start = blob.startIndex +? offset,
            let data = start +? 2, data <= blob.endIndex
        else { throw damaged("points out of its blob", place) }
        let count = Int(blob[start]) | Int(blob[start + 1]) << 8
        guard let end = data +? count, end <= blob.endIndex else {
            throw damaged("points out of its blob", place)
        }
        return Array(blob[data..<end])
    }

    private static func damaged(_ message: String, _ offset: Int) -> StorageError {
        .appliance(.corrupt, .damagedHeader, message, structure: "header", offset: UInt64(offset))
    }
}
