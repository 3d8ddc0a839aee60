internal import Codecs
internal import Storage

/// Holds a streamOptimized VMDK against the format's description, as strictly as a reader that never goes back would:
/// VMware, "Virtual Disk Format 5.0", and what ESX and ovftool insist on (version 3, markers, a footer).
///
/// It shares nothing with the writer, and reads the file from its first byte to its last.
package struct VMDKStreamCheck {
    /// What is wrong, in the order of the file.
    package private(set) var breaches: [String] = []
    /// The grains by their sector: what they inflate to.
    package private(set) var grains: [UInt64: [UInt8]] = [:]
    /// The grains as they are stored.
    package private(set) var payloads: [UInt64: [UInt8]] = [:]
    /// Sectors of the disk.
    package private(set) var capacity: UInt64 = 0

    private let bytes: [UInt8]
    private var grainSectors: UInt64 = 0
    private var position = 0
    private var table: [UInt64: UInt32] = [:]
    private var tables: [UInt64: UInt32] = [:]
    private var directorySector: UInt64?
    private var hasFooter = false
    private var last: UInt64?

    /// Checks a stream.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard bytes.count >= 1024, bytes.count % 512 == 0 else {
            breaches.append("\(bytes.count) bytes are no stream")
            return
        }
        checkHeader()
        guard breaches.isEmpty else { return }
        walk()
    }

    /// The disk, zeros where no grain is.
    package func disk() -> [UInt8] {
        var disk = [UInt8](repeating: 0, count: Int(capacity) * 512)
        for (sector, data) in grains {
            let start = Int(sector) * 512
            let end = min(start + data.count, disk.count)
            disk.replaceSubrange(start..<end, with: data[..<(end - start)])
        }
        return disk
    }

    private mutating func hold(_ holds: Bool, _ what: String) {
        if !holds { breaches.append("at \(position): \(what)") }
    }

    private mutating func checkHeader() {
        hold(bytes[0..<4].elementsEqual("KDMV".utf8), "no magic")
        hold(bytes.little(4, as: UInt32.self) == 3, "version")
        hold(bytes.little(8, as: UInt32.self) == 0x30001, "flags")
        capacity = bytes.little(12)
        grainSectors = bytes.little(20)
        hold(capacity > 0 && capacity < 1 << 40, "capacity")
        hold(grainSectors == 128, "grain size")
        let descriptor: UInt64 = bytes.little(28)
        let descriptorSize: UInt64 = bytes.little(36)
        hold(descriptor == 1 && descriptorSize > 0 && descriptorSize < 64, "descriptor's place")
        hold(bytes.little(44, as: UInt32.self) == 512, "entries of a table")
        hold(bytes.little(48, as: UInt64.self) == 0, "redundant directory")
        hold(bytes.little(56, as: UInt64.self) == .max, "directory is not in the footer")
        let overhead: UInt64 = bytes.little(64)
        hold(overhead >= descriptor + descriptorSize && overhead * 512 < bytes.count, "overhead")
        hold(bytes[72] == 0, "unclean")
        hold(bytes[73..<77].elementsEqual("\n \r\n".utf8), "line ends")
        hold(bytes.little(77, as: UInt16.self) == 1, "compression")
        hold(bytes[79..<512].allSatisfy { $0 == 0 }, "header's rest")
        guard breaches.isEmpty else { return }
        let end = Int(descriptor + descriptorSize) * 512
        checkDescriptor(Array(bytes[512..<end]))
        hold(bytes[end..<Int(overhead) * 512].allSatisfy { $0 == 0 }, "bytes before the first grain")
        position = Int(overhead) * 512
    }

    private mutating func checkDescriptor(_ area: [UInt8]) {
        let text = area.prefix { $0 != 0 }
        hold(area[text.count...].allSatisfy { $0 == 0 }, "bytes behind the descriptor")
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        func value(_ key: String) -> String? {
            let found = lines.compactMap { line -> String? in
                let parts = line.split(separator: "=", maxSplits: 1).map {
                    $0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
                }
                guard parts.count == 2, String(parts[0]) == key else { return nil }
                return String(parts[1].filter { $0 != "\"" })
            }
            return found.count == 1 ? found[0] : nil
        }
        func isHex(_ text: String?, _ count: Int) -> Bool {
            guard let text else { return false }
            return text.count == count && text.allSatisfy(\.isHexDigit)
        }
        hold(lines.first == "# Disk DescriptorFile", "first line of the descriptor")
        hold(value("version") == "1", "version of the descriptor")
        hold(isHex(value("CID"), 8), "CID")
        hold(value("parentCID") == "ffffffff", "parentCID")
        hold(value("createType") == "streamOptimized", "createType")
        hold(isHex(value("ddb.longContentID"), 32), "long content identifier")
        hold(value("ddb.longContentID")?.suffix(8) == value("CID")?.suffix(8), "identifiers differ")
        let adapters = ["lsilogic", "buslogic", "ide", "legacyESX"]
        hold(adapters.contains(value("ddb.adapterType") ?? ""), "adapter type")
        for name in ["cylinders", "heads", "sectors"] {
            hold((Int(value("ddb.geometry.\(name)") ?? "") ?? 0) > 0, "geometry")
        }
        hold(value("ddb.toolsInstallType") == "4", "kind of tools")
        hold(UInt32(value("ddb.toolsVersion") ?? "") != nil, "version of tools")
        hold(Int(value("ddb.virtualHWVersion") ?? "") != nil, "version of hardware")
        let extents = lines.filter { $0.hasPrefix("RW ") || $0.hasPrefix("RDONLY ") }
        let expected = "RDONLY \(capacity) SPARSE \""
        hold(
            extents.count == 1 && extents[0].hasPrefix(expected) && extents[0].hasSuffix("\""), "extent line")
    }

    private mutating func walk() {
        while position < bytes.count {
            let value: UInt64 = bytes.little(position)
            let size: UInt32 = bytes.little(position + 8)
            if size != 0 {
                readGrain(value, Int(size))
            } else if readMarker(value, bytes.little(position + 12)) {
                return
            }
            guard breaches.isEmpty else { return }
        }
        hold(false, "no end-of-stream marker")
    }

    private mutating func readGrain(_ sector: UInt64, _ size: Int) {
        hold(sector % grainSectors == 0 && sector < capacity, "a grain of sector \(sector)")
        hold(last.map { $0 < sector } ?? true, "grains out of order")
        hold(directorySector == nil, "a grain behind the directory")
        let index = sector / (grainSectors * 512)
        hold(table.isEmpty || table.keys.allSatisfy { $0 / (grainSectors * 512) == index }, "no table before")
        let end = position + 12 + size
        hold(end <= bytes.count, "a grain past the end")
        guard breaches.isEmpty else { return }
        last = sector
        table[sector] = UInt32(position / 512)
        payloads[sector] = Array(bytes[position + 12..<end])
        do throws(StorageError) {
            let data = try Codec.zlib.decode(bytes.span8.extracting(position + 12..<end), limit: 1 << 20)
            hold(data.count == Int(grainSectors) * 512, "a grain of \(data.count) bytes")
            hold(data.contains { $0 != 0 }, "a grain of zeros")
            grains[sector] = data
        } catch {
            hold(false, "a grain does not inflate: \(error)")
        }
        let next = (end + 511) / 512 * 512
        hold(next <= bytes.count && bytes[end..<next].allSatisfy { $0 == 0 }, "padding of a grain")
        position = next
    }

    /// True at the end of the stream.
    private mutating func readMarker(_ sectors: UInt64, _ kind: UInt32) -> Bool {
        hold(bytes[position + 16..<position + 512].allSatisfy { $0 == 0 }, "a marker's rest")
        let start = position + 512
        let count = UInt64(bytes.count - start) / 512
        hold(sectors <= count, "a marker of \(sectors) sectors")
        guard breaches.isEmpty else { return true }
        let body = Array(bytes[start..<start + Int(sectors) * 512])
        switch kind {
        case 0:
            hold(sectors == 0 && start == bytes.count, "the end of the stream is not the end")
            hold(hasFooter, "no footer")
            return true
        case 1: checkTable(body, at: start)
        case 2: checkDirectory(body, at: start)
        case 3:
            hold(directorySector != nil && !hasFooter && sectors == 1, "a footer")
            var expected = Array(bytes[0..<512])
            expected.storeLittle(directorySector ?? 0, at: 56)
            hold(body == expected, "the footer is not the header with the directory's place")
            hasFooter = true
        default: hold(false, "a marker of kind \(kind)")
        }
        position = start + body.count
        return false
    }

    private mutating func checkTable(_ body: [UInt8], at start: Int) {
        hold(body.count == 2048 && !table.isEmpty && directorySector == nil, "a table")
        guard breaches.isEmpty, let index = table.keys.first.map({ $0 / (grainSectors * 512) }) else {
            return
        }
        for slot in 0..<512 {
            let sector = (index * 512 + UInt64(slot)) * grainSectors
            hold(body.little(slot * 4, as: UInt32.self) == table[sector] ?? 0, "entry \(slot) of a table")
        }
        tables[index] = UInt32(start / 512)
        table = [:]
    }

    private mutating func checkDirectory(_ body: [UInt8], at start: Int) {
        let span = grainSectors * 512
        let entries = (capacity + span - 1) / span
        hold(UInt64(body.count) == (entries * 4 + 511) / 512 * 512, "the directory's size")
        hold(directorySector == nil && table.isEmpty, "a directory")
        guard breaches.isEmpty else { return }
        for slot in 0..<body.count / 4 {
            hold(
                body.little(slot * 4, as: UInt32.self) == tables[UInt64(slot)] ?? 0,
                "entry \(slot) of the directory")
        }
        directorySector = UInt64(start / 512)
    }
}
