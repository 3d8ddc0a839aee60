internal import Storage

/// What stands between the header and the backing file's name.
/// Types: qemu docs/interop/qcow2.txt, "Header extensions".
struct QCOW2Extensions: Equatable, Sendable {
    /// The backing file's format, as stored.
    var backingFormat: [UInt8]?
    /// The external data file's name, as stored.
    var dataFile: [UInt8]?
    /// Persistent bitmaps.
    var bitmapCount: UInt32 = 0
    /// Bytes of the bitmap directory.
    var bitmapDirectoryByteCount: UInt64 = 0
    /// Where the bitmap directory lies in the file.
    var bitmapDirectoryOffset: UInt64 = 0
    /// Names that the writer gave to incompatible feature bits.
    var incompatibleNames: [UInt8: String] = [:]

    private enum Kind {
        static let end: UInt32 = 0
        static let backingFormat: UInt32 = 0xe279_2aca
        static let featureNames: UInt32 = 0x6803_f857
        static let bitmaps: UInt32 = 0x2385_2875
        static let dataFile: UInt32 = 0x4441_5441
    }

    /// None.
    init() {}

    /// Walks the extensions in `cluster`, the file's first. Each step goes forward by 8 bytes at least.
    init(parsing cluster: [UInt8], from start: Int, to end: Int) throws(StorageError) {
        var position = start
        while position <= end - 8 {
            let kind: UInt32 = cluster.big(position)
            let length: UInt32 = cluster.big(position + 4)
            let data = position + 8
            if kind == Kind.end { return }
            guard Int(length) <= end - data else {
                throw .qcow2(
                    .headerExtension, "an extension of \(length) bytes does not fit into the first cluster",
                    structure: "header extension \(kind.hex)", field: "length", offset: UInt64(position + 4))
            }
            let payload = cluster[data..<data + Int(length)]
            switch kind {
            case Kind.backingFormat: backingFormat = Array(payload.prefix(64))
            case Kind.dataFile: dataFile = Array(payload.prefix(4096))
            case Kind.bitmaps where length >= 24:
                bitmapCount = cluster.big(data)
                bitmapDirectoryByteCount = cluster.big(data + 8)
                bitmapDirectoryOffset = cluster.big(data + 16)
            case Kind.featureNames: readNames(payload)
            default: break
            }
            position = data + (Int(length) + 7) & ~7
        }
    }

    /// The extensions of a new overlay, with their end: the backing file's format.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        if let backingFormat {
            let padded = (backingFormat.count + 7) & ~7
            bytes = [UInt8](repeating: 0, count: 8 + padded)
            bytes.storeBig(Kind.backingFormat, at: 0)
            bytes.storeBig(UInt32(backingFormat.count), at: 4)
            bytes.replaceSubrange(8..<8 + backingFormat.count, with: backingFormat)
        }
        return bytes + [UInt8](repeating: 0, count: 8)
    }

    private mutating func readNames(_ payload: ArraySlice<UInt8>) {
        var rest = payload
        // Type (0 incompatible), bit, a name of 46 bytes padded with zeros.
        while rest.count >= 48 {
            let entry = Array(rest.prefix(48))
            rest = rest.dropFirst(48)
            if entry[0] == 0, entry[1] < 64 {
                incompatibleNames[entry[1]] = entry[2...].prefix { $0 != 0 }.displayText
            }
        }
    }

    /// Feature bits for people: the writer's name where it gave one, else the bit's number.
    func names(of features: QCOW2Header.Incompatible) -> String {
        (UInt8(0)..<64).filter { features.rawValue >> UInt64($0) & 1 == 1 }.map { bit in
            incompatibleNames[bit].map { "\"\($0)\" (incompatible feature bit \(bit))" }
                ?? "incompatible feature bit \(bit)"
        }.joined(separator: ", ")
    }
}
