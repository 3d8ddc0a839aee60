internal import Storage

/// Physical volumes written by hand: label, metadata areas and a text, for what no tool makes on purpose.
public struct LVMFixture {
    public static let extent = 1 << 20
    /// Bytes from 1 MiB on are extents.
    public static let dataStart = 1 << 20

    public var uuid: String
    public var byteCount: Int
    /// Offset and size of each metadata area.
    public var areas: [(offset: Int, count: Int)] = [(4096, 1 << 20 - 4096)]
    /// Where in the first area the text begins.
    public var textOffset = 512

    public init(_ uuid: String, megabytes: Int = 16) {
        self.uuid = uuid
        byteCount = megabytes << 20
        areas = [(4096, (1 << 20) - 4096)]
    }

    public static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        CRC32.update(0xf597_a6cf, Array(bytes).span8)
    }

    /// The volume with `text` committed in every area.
    public func bytes(_ text: String) -> [UInt8] {
        var disk = [UInt8](repeating: 0, count: byteCount)
        var label = [UInt8](repeating: 0, count: 512)
        label.put(Array("LABELONE".utf8), at: 0)
        label.storeLittle(UInt64(1), at: 8)
        label.storeLittle(UInt32(32), at: 20)
        label.put(Array("LVM2 001".utf8), at: 24)
        label.put(Array(uuid.replacing("-", with: "").utf8), at: 32)
        label.storeLittle(UInt64(byteCount), at: 64)
        label.storeLittle(UInt64(Self.dataStart), at: 72)
        var offset = 72 + 32
        for area in areas {
            label.storeLittle(UInt64(area.offset), at: offset)
            label.storeLittle(UInt64(area.count), at: offset + 8)
            offset += 16
        }
        label.storeLittle(Self.checksum(label[20...]), at: 16)
        disk.put(label, at: 512)
        for area in areas { put(text, in: area, of: &disk) }
        return disk
    }

    /// Writes a text into one area, over the end of the ring where it does not fit.
    public func put(_ text: String, in area: (offset: Int, count: Int), of disk: inout [UInt8]) {
        let content = Array(text.utf8) + [0]
        for (index, byte) in content.enumerated() {
            var place = textOffset + index
            if place >= area.count { place = place - area.count + 512 }
            disk[area.offset + place] = byte
        }
        var header = [UInt8](repeating: 0, count: 512)
        header.put([0x20] + Array("LVM2 x[5A%r0N*>".utf8), at: 4)
        header.storeLittle(UInt32(1), at: 20)
        header.storeLittle(UInt64(area.offset), at: 24)
        header.storeLittle(UInt64(area.count), at: 32)
        header.storeLittle(UInt64(textOffset), at: 40)
        header.storeLittle(UInt64(content.count), at: 48)
        header.storeLittle(Self.checksum(content[...]), at: 56)
        header.storeLittle(Self.checksum(header[4...]), at: 0)
        disk.put(header, at: area.offset)
    }

    /// An area whose group is gone: a header that names no text.
    public func clear(_ area: (offset: Int, count: Int), of disk: inout [UInt8]) {
        var header = Array(disk[area.offset..<area.offset + 512])
        for index in 40..<64 { header[index] = 0 }
        header.storeLittle(Self.checksum(header[4...]), at: 0)
        disk.put(header, at: area.offset)
    }

    /// A group's text: physical volumes by UUID in order (pv0, pv1…) and the logical volumes' sections.
    public static func group(
        _ name: String = "vg", seqno: Int = 1, status: String = "\"RESIZEABLE\", \"READ\", \"WRITE\"",
        physical: [String], flags: [String] = [], logical: String, extra: String = "", extents: Int = 15
    ) -> String {
        var volumes = ""
        for (index, uuid) in physical.enumerated() {
            let flag = index < flags.count ? flags[index] : ""
            volumes += """
                pv\(index) {
                id = "\(uuid)"
                device = "/dev/sd\(index)"
                status = ["ALLOCATABLE"]
                flags = [\(flag)]
                pe_start = 2048
                pe_count = \(extents)
                }

                """
        }
        return """
            \(name) {
            id = "GroupI-d000-0000-0000-0000-0000-\(name.utf8.count)00000"
            seqno = \(seqno)
            format = "lvm2" # a { brace
            status = [\(status)]
            flags = []
            \(extra)
            extent_size = 2048
            physical_volumes {
            \(volumes)
            }
            logical_volumes {
            \(logical)
            }
            }
            description = "it's \\"quoted\\" { and # no comment"
            contents = "Text Format Volume Group"
            version = 1

            """
    }

    /// A logical volume of one segment.
    public static func volume(
        _ name: String, _ segment: String, count: Int = 4,
        status: String = "\"READ\", \"WRITE\", \"VISIBLE\""
    ) -> String {
        """
        \(name) {
        id = "\(name)"
        status = [\(status)]
        flags = []
        segment_count = 1
        segment1 {
        start_extent = 0
        extent_count = \(count)
        \(segment)
        }
        }

        """
    }

    public static func linear(_ name: String, _ place: String, count: Int = 4, hidden: Bool = false) -> String
    {
        volume(
            name, "type = \"striped\"\nstripe_count = 1\nstripes = [ \(place) ]", count: count,
            status: hidden ? "\"READ\", \"WRITE\"" : "\"READ\", \"WRITE\", \"VISIBLE\"")
    }

    public static let first = "AAAAAA-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"
    public static let second = "BBBBBB-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
    public static let third = "CCCCCC-cccc-cccc-cccc-cccc-cccc-cccccc"

    /// A logical volume of several linear segments: a physical volume's name, its first extent, how many.
    public static func concatenated(_ name: String, _ pieces: [(volume: String, first: Int, count: Int)])
        -> String
    {
        var start = 0
        var segments = ""
        for (index, piece) in pieces.enumerated() {
            segments += """
                segment\(index + 1) {
                start_extent = \(start)
                extent_count = \(piece.count)
                type = "striped"
                stripe_count = 1
                stripes = [ "\(piece.volume)", \(piece.first) ]
                }

                """
            start += piece.count
        }
        return """
            \(name) {
            id = "\(name)"
            status = ["READ", "WRITE", "VISIBLE"]
            flags = []
            segment_count = \(pieces.count)
            \(segments)
            }

            """
    }
}

extension [UInt8] {
    /// Stores `bytes` at `offset`.
    public mutating func put(_ bytes: [UInt8], at offset: Int) {
        replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
}
