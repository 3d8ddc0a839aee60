/// The name of a disk's piece, `Ref:4/00000012`, or of its checksum, `Ref:4/00000012.checksum`.
struct XVAPieceName: Equatable {
    enum Kind: Equatable {
        case data
        case check(XVAPieces.Check)
    }

    /// The reference of the disk.
    let disk: [UInt8]
    let number: UInt64
    let kind: Kind

    /// Nil for every other name.
    init?(_ name: [UInt8]) {
        guard let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        disk = Array(name[..<slash])
        let rest = name[(slash + 1)...]
        let digits = rest.prefix { (48...57).contains($0) }
        guard (8...18).contains(digits.count), let number = UInt64(String(decoding: digits, as: UTF8.self))
        else {
            return nil
        }
        self.number = number
        switch String(decoding: rest.dropFirst(digits.count), as: UTF8.self) {
        case "": kind = .data
        case ".checksum": kind = .check(.sha1)
        case ".xxhash": kind = .check(.xxhash)
        default: return nil
        }
    }
}
