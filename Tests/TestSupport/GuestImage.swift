internal import Foundation
internal import Storage

/// The disks of a fixture guest, made by mke2fs, mkswap and sfdisk; LVM's labels and text by hand, as no tool writes
/// them into a file.
public struct GuestImage {
    /// Where one file system lies.
    public struct Place: Sendable {
        public var part: GuestPart
        public var disk: Int
        public var offset: Int
        public var byteCount: Int
    }

    private static let mebibyte = 1 << 20
    private static let partMebibytes = 8
    /// The images, the first disk first.
    public private(set) var disks: [String] = []
    /// The ext file systems.
    public private(set) var places: [Place] = []
    private let directory: TemporaryDirectory

    /// Builds the disks of `tree` below `directory`. What lies on FAT in real life is part of the root here.
    public init(_ tree: String, fixtures: String, in directory: TemporaryDirectory) throws {
        self.directory = directory
        let parts = (guestLayouts[tree] ?? []).filter { $0.kind != .vfat || $0.mount == nil }
        let mounts = parts.compactMap(\.mount).sorted { $0.count > $1.count }
        try split("\(fixtures)/\(tree)/tree", among: mounts)
        for disk in 1...(parts.map(\.disk).max() ?? 1) { try build(disk, parts.filter { $0.disk == disk }) }
    }

    /// Gives each mounted volume its part of the tree.
    private func split(_ source: String, among mounts: [String]) throws {
        let copy = directory.path("content")
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        for mount in mounts { try Tool.run("mkdir", ["-p", content(mount)]) }
        try Tool.run("cp", ["-r", source + "/.", content("/")])
        let fstab = content("/") + "/etc/fstab"
        if FileManager.default.fileExists(atPath: fstab) {
            let rows = Self.withoutFAT(try fileBytes(fstab))
            try Data(rows).write(to: URL(fileURLWithPath: fstab))
        }
        for mount in mounts where mount != "/" {
            let inner = content("/") + mount
            if FileManager.default.fileExists(atPath: inner) {
                try Tool.run("sh", ["-c", "mv \"$0\"/* \"$1\"/ 2>/dev/null; true", inner, content(mount)])
            } else {
                try Tool.run("mkdir", ["-p", inner])
            }
        }
    }

    /// An fstab whose rows of a FAT with a loader are comments: the disks made here have none.
    public static func withoutFAT(_ fstab: [UInt8]) -> [UInt8] {
        let lines = String(decoding: fstab, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        let kept = lines.map { line -> Substring in
            let fields = line.split(whereSeparator: \.isWhitespace)
            let isFAT = fields.count > 2 && fields[1].hasPrefix("/boot") && fields[2] == "vfat"
            return isFAT && !line.hasPrefix("#") ? "#" + line : line
        }
        return Array(kept.joined(separator: "\n").utf8)
    }

    private func content(_ mount: String) -> String {
        directory.path("content/" + (mount == "/" ? "root" : "at" + mount.replacing("/", with: "-")))
    }

    private mutating func build(_ disk: Int, _ parts: [GuestPart]) throws {
        let path = directory.path("disk\(disk).img")
        let physical = parts.filter { $0.logical == nil }.sorted { $0.number < $1.number }
        let volumes = parts.filter { $0.logical != nil }
        var script = "label: dos\nlabel-id: 0x5eed000\(disk)\n"
        var next = 1
        var starts: [Int: Int] = [:]
        let hasLogical = physical.contains { $0.number > 4 }
        for part in physical {
            let size =
                part.kind == .lvm2 || part.number == 0
                ? Self.partMebibytes * (volumes.count + 1) : Self.partMebibytes
            if part.number > 4, hasLogical {
                script += "4 : start=\(next * 2048), size=\((size + 1) * 2048), type=5\n"
                next += 1
            }
            starts[part.number] = next
            let type = part.kind == .swap ? "82" : part.kind == .lvm2 ? "8e" : "83"
            script += "\(part.number) : start=\(next * 2048), size=\(size * 2048), type=\(type)\n"
            next += size
        }
        // A group whose physical volume the layout leaves out fills the disk's end.
        var groupStart = physical.first { $0.kind == .lvm2 }.flatMap { starts[$0.number] }
        if groupStart == nil, !volumes.isEmpty {
            groupStart = next
            let number = (physical.map(\.number).max() ?? 0) + 1
            let size = Self.partMebibytes * (volumes.count + 1)
            script += "\(number) : start=\(next * 2048), size=\(size * 2048), type=8e\n"
            next += size
        }
        try Tool.run("truncate", ["-s", "\(next + 1)M", path])
        try Tool.run("sfdisk", ["-q", "--no-reread", "--no-tell-kernel", path], input: script)
        // A BIOS finds something to start; which loader it is nothing says.
        if disk == 1 { try copy(try directory.write("code", [0xeb, 0x63, 0x90]), to: path, at: 0) }
        for part in physical where part.kind != .lvm2 {
            try put(part, disk, path, at: (starts[part.number] ?? 0) * Self.mebibyte)
        }
        if let groupStart {
            // An identifier of LVM's is longer than a UUID.
            let own = physical.first { $0.kind == .lvm2 }?.uuid.flatMap { $0.utf8.count == 38 ? $0 : nil }
            try putGroup(volumes, own, disk, path, at: groupStart * Self.mebibyte)
        }
        disks.append(path)
    }

    private mutating func put(_ part: GuestPart, _ disk: Int, _ path: String, at offset: Int) throws {
        let count = Self.partMebibytes * Self.mebibyte
        let file = try directory.sparse("part", byteCount: UInt64(count))
        let uuid = part.uuid ?? "", label = part.label ?? ""
        switch part.kind {
        case .swap:
            try Tool.run("mkswap", ["-q", "-U", uuid] + (label.isEmpty ? [] : ["-L", label]) + [file])
        case .vfat: try Tool.run("mkfs.vfat", ["-i", uuid.replacing("-", with: ""), file])
        case .luks:
            var header = Array("LUKS".utf8) + [0xba, 0xbe, 0, 1]
            header += [UInt8](repeating: 0, count: 168 - header.count) + Array(uuid.utf8)
            try directory.write("part", header + [UInt8](repeating: 0, count: count - header.count))
        case .xfs where part.mount == nil:
            // What is never read needs no more than what it is known by (xfs_dsb of xfs_format.h).
            var block = Array("XFSB".utf8) + [0, 0, 0x10, 0] + [UInt8](repeating: 0, count: count - 8)
            // Sectors of 512 bytes.
            block[102] = 2
            let bytes = uuid.replacing("-", with: "")
            for (index, pair) in stride(from: 0, to: bytes.count, by: 2).enumerated() {
                block[32 + index] =
                    UInt8(Array(bytes)[pair...(pair + 1)].map(String.init).joined(), radix: 16) ?? 0
            }
            try directory.write("part", block)
        default:
            let type = [.ext2, .ext3, .ext4].contains(part.kind) ? part.kind.rawValue : "ext4"
            let features =
                type == "ext4"
                ? "none,has_journal,ext_attr,dir_index,filetype,sparse_super,extent,64bit,metadata_csum,flex_bg,extra_isize"
                : "none,has_journal,ext_attr,dir_index,filetype,sparse_super"
            var arguments = [
                "-q", "-F", "-t", type, "-b", "1024", "-I", type == "ext4" ? "256" : "128", "-U", uuid, "-J",
                "size=1",
                "-O", features,
            ]
            if !label.isEmpty { arguments += ["-L", label] }
            if let mount = part.mount { arguments += ["-d", content(mount)] }
            try Tool.run("mke2fs", arguments + [file])
            places.append(Place(part: part, disk: disk, offset: offset, byteCount: count))
        }
        try copy(file, to: path, at: offset)
    }

    private func copy(_ file: String, to path: String, at offset: Int) throws {
        try Tool.run(
            "dd",
            [
                "if=\(file)", "of=\(path)", "bs=64k", "oflag=seek_bytes", "seek=\(offset)",
                "conv=notrunc,sparse",
                "status=none",
            ])
    }

    /// One physical volume, extents of 1 MiB from its second mebibyte on, each volume in one piece.
    private mutating func putGroup(
        _ parts: [GuestPart], _ physical: String?, _ disk: Int, _ path: String, at offset: Int
    ) throws {
        guard let group = parts.first?.logical?.0 else { return }
        let physicalUUID = physical ?? "Phys00-0000-0000-0000-0000-0000-000000"
        var sections = ""
        for (index, part) in parts.enumerated() {
            let name = part.logical?.1 ?? ""
            sections += """
                \(name) {
                id = "Vol00\(index)-0000-0000-0000-0000-0000-000000"
                status = ["READ", "WRITE", "VISIBLE"]
                flags = []
                segment_count = 1
                segment1 {
                start_extent = 0
                extent_count = \(Self.partMebibytes)
                type = "striped"
                stripe_count = 1
                stripes = ["pv0", \(index * Self.partMebibytes)]
                }
                }

                """
            try put(part, disk, path, at: offset + (1 + index * Self.partMebibytes) * Self.mebibyte)
        }
        let extents = parts.count * Self.partMebibytes
        let text = """
            \(group) {
            id = "Group0-0000-0000-0000-0000-0000-000000"
            seqno = 1
            format = "lvm2"
            status = ["RESIZEABLE", "READ", "WRITE"]
            flags = []
            extent_size = 2048
            max_lv = 0
            max_pv = 0
            physical_volumes {
            pv0 {
            id = "\(physicalUUID)"
            device = "/dev/sda2"
            status = ["ALLOCATABLE"]
            flags = []
            dev_size = \((extents + Self.partMebibytes) * 2048)
            pe_start = 2048
            pe_count = \(extents)
            }
            }
            logical_volumes {
            \(sections)}
            }
            contents = "Text Format Volume Group"
            version = 1
            description = ""

            """
        let head = Self.physicalVolume(
            physicalUUID, byteCount: (extents + Self.partMebibytes) * Self.mebibyte, text: text)
        try copy(try directory.write("part", head), to: path, at: offset)
    }

    /// Label, metadata area header and text (lvm2's format_text/layout.h) in the first mebibyte.
    private static func physicalVolume(_ uuid: String, byteCount: Int, text: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: mebibyte)
        func checksum(_ range: Range<Int>) -> UInt32 { CRC32.update(0xf597_a6cf, Array(bytes[range]).span8) }
        func put(_ value: some FixedWidthInteger, at offset: Int) {
            for index in 0..<(value.bitWidth / 8) {
                bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8))
            }
        }
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
        }
        let area = (offset: 4096, count: mebibyte - 4096)
        put(text, at: area.offset + 512)
        put("LABELONE", at: 512)
        put(UInt64(1), at: 512 + 8)
        put(UInt32(32), at: 512 + 20)
        put("LVM2 001", at: 512 + 24)
        put(uuid.replacing("-", with: ""), at: 512 + 32)
        put(UInt64(byteCount), at: 512 + 64)
        put(UInt64(mebibyte), at: 512 + 72)
        put(UInt64(area.offset), at: 512 + 104)
        put(UInt64(area.count), at: 512 + 112)
        put(checksum(512 + 20..<1024), at: 512 + 16)
        put(" LVM2 x[5A%r0N*>", at: area.offset + 4)
        put(UInt32(1), at: area.offset + 20)
        put(UInt64(area.offset), at: area.offset + 24)
        put(UInt64(area.count), at: area.offset + 32)
        put(UInt64(512), at: area.offset + 40)
        put(UInt64(text.utf8.count + 1), at: area.offset + 48)
        let content = Array(bytes[area.offset + 512..<area.offset + 512 + text.utf8.count + 1])
        put(CRC32.update(0xf597_a6cf, content.span8), at: area.offset + 56)
        put(checksum(area.offset + 4..<area.offset + 512), at: area.offset)
        return bytes
    }

    /// What debugfs shows of a file system: every file's contents, and what stat tells but for the times and blocks of
    /// those in `changed`.
    public func contents(of place: Place, name: String) throws -> (
        files: [String: [UInt8]], stat: [String: String]
    ) {
        let file = directory.path("slice")
        try Tool.run(
            "dd",
            [
                "if=\(disks[place.disk - 1])", "of=\(file)", "bs=64k", "iflag=skip_bytes,count_bytes",
                "skip=\(place.offset)", "count=\(place.byteCount)", "status=none",
            ])
        try Tool.run("e2fsck", ["-fn", file])
        let target = directory.path("dump-\(name)")
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        try Tool.run("debugfs", ["-R", "rdump / \(target)", file])
        var files: [String: [UInt8]] = [:]
        var commands = ""
        for path in try FileManager.default.subpathsOfDirectory(atPath: target) {
            commands += "stat \"/\(path)\"\n"
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(target)/\(path)")
            guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
            files["/\(path)"] = try fileBytes("\(target)/\(path)")
        }
        let script = try directory.write("commands", commands)
        var stat: [String: String] = [:]
        var current = ""
        for line in try Tool.run("debugfs", ["-f", script, file]).text.split(separator: "\n") {
            if line.hasPrefix("debugfs: stat \"") {
                current = String(line.dropFirst("debugfs: stat \"".count).dropLast())
            } else {
                stat[current, default: ""] += line + "\n"
            }
        }
        return (files, stat)
    }
}
