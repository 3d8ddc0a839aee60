import Foundation
import Storage
import TestSupport

/// Makes backups as Proxmox's writer does: clusters of 64 KiB in order, zero blocks left out, 59 clusters an extent.
struct VMAMaker {
    struct Device {
        var name: String
        var bytes: [UInt8]
    }

    /// What is wrong though every checksum is right.
    enum Wrong: CaseIterable {
        case clusterPastTheEnd, unknownDevice, blockCount, otherBackup, clusterTwice, clusterMissing
    }

    let devices: [Device]
    private let configuration: String?
    private let identifier = [UInt8]((0..<16).map { UInt8($0 * 3 + 1) })

    init(_ devices: [Device], _ configuration: String?) {
        self.devices = devices
        self.configuration = configuration
    }

    let headerByteCount = 12_288 + 4096

    private static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        stride(from: T.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> T($0)) }
    }

    private static func put(_ bytes: [UInt8], _ place: Int, _ target: inout [UInt8]) {
        target.replaceSubrange(place..<place + bytes.count, with: bytes)
    }

    private func header() -> [UInt8] {
        var head = [UInt8](repeating: 0, count: headerByteCount)
        var blob: [UInt8] = [0]
        func add(_ bytes: [UInt8]) -> UInt32 {
            let place = UInt32(blob.count)
            blob += [UInt8(bytes.count & 0xff), UInt8(bytes.count >> 8)] + bytes
            return place
        }
        Self.put(
            Array("VMA".utf8) + [0] + Self.big(UInt32(1)) + identifier + Self.big(Int64(1_700_000_000)), 0,
            &head)
        if let configuration {
            Self.put(Self.big(add(Array("qemu-server.conf".utf8) + [0])), 2044, &head)
            Self.put(Self.big(add(Array(configuration.utf8))), 3068, &head)
        }
        for (index, device) in devices.enumerated() {
            let place = 4096 + (index + 1) * 32
            Self.put(Self.big(add(Array(device.name.utf8) + [0])), place, &head)
            Self.put(Self.big(UInt64(device.bytes.count)), place + 8, &head)
        }
        Self.put(
            Self.big(UInt32(12_288)) + Self.big(UInt32(blob.count)) + Self.big(UInt32(headerByteCount)), 48,
            &head)
        Self.put(blob, 12_288, &head)
        return head
    }

    func archive(shuffled seed: UInt64? = nil, wrong: Wrong? = nil) -> [UInt8] {
        var clusters: [(device: Int, number: Int)] = []
        for (index, device) in devices.enumerated() {
            for number in 0..<(device.bytes.count + 65_535) / 65_536 { clusters.append((index + 1, number)) }
        }
        if let seed {
            var random = SeededRandom(seed)
            clusters.shuffle(using: &random)
        }
        if wrong == .clusterTwice { clusters.append(clusters[0]) }
        if wrong == .clusterMissing { clusters.remove(at: 3) }
        var archive = header()
        for start in stride(from: 0, to: clusters.count, by: 59) {
            var extent = [UInt8](repeating: 0, count: 512)
            var data: [UInt8] = []
            var blocks: UInt16 = 0
            for (slot, cluster) in clusters[start..<min(start + 59, clusters.count)].enumerated() {
                let bytes = devices[cluster.device - 1].bytes
                var mask: UInt16 = 0
                for block in 0..<16 {
                    let from = cluster.number * 65_536 + block * 4096
                    guard from < bytes.count else { break }
                    var part = Array(bytes[from..<min(from + 4096, bytes.count)])
                    part += [UInt8](repeating: 0, count: 4096 - part.count)
                    guard part.contains(where: { $0 != 0 }) else { continue }
                    mask |= 1 << UInt16(block)
                    blocks += 1
                    data += part
                }
                let isFirst = start == 0 && slot == 2
                let device = isFirst && wrong == .unknownDevice ? 200 : cluster.device
                let number = isFirst && wrong == .clusterPastTheEnd ? 1 << 20 : cluster.number
                Self.put(
                    Self.big(mask) + [0, UInt8(device)] + Self.big(UInt32(number)), 40 + slot * 8, &extent)
            }
            if wrong == .blockCount { blocks += 1 }
            let known = wrong == .otherBackup ? identifier.reversed() : identifier
            Self.put(Array("VMAE".utf8) + [0, 0] + Self.big(blocks) + known, 0, &extent)
            archive += extent + data
        }
        putChecksumsRight(&archive)
        return archive
    }

    /// Writes the checksum of the header, and of each extent as far as they follow each other.
    func putChecksumsRight(_ archive: inout [UInt8]) {
        func sum(_ range: Range<Int>, _ field: Int) {
            Self.put([UInt8](repeating: 0, count: 16), field, &archive)
            Self.put(MD5.sum(Array(archive[range])), field, &archive)
        }
        sum(0..<headerByteCount, 32)
        var place = headerByteCount
        while place + 512 <= archive.count {
            sum(place..<place + 512, place + 24)
            var blocks = 0
            for slot in 0..<59 {
                blocks +=
                    (UInt16(archive[place + 40 + slot * 8]) << 8 | UInt16(archive[place + 41 + slot * 8]))
                    .nonzeroBitCount
            }
            place += 512 + blocks * 4096
        }
    }
}

/// MD5 (RFC 1321), apart from the one that reads.
enum MD5 {
    private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        stride(from: 0, to: T.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: value >> T($0)) }
    }

    static func sum(_ bytes: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
        let shifts: [[UInt32]] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]
        let table = (0..<64).map {
            UInt32(truncatingIfNeeded: Int64(abs(sin(Double($0 + 1))) * 4_294_967_296))
        }
        var message = bytes + [0x80]
        while message.count % 64 != 56 { message.append(0) }
        message += little(UInt64(bytes.count * 8))
        for start in stride(from: 0, to: message.count, by: 64) {
            let words = (0..<16).map { word in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(message[start + word * 4 + $1]) << UInt32($1 * 8) }
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            for i in 0..<64 {
                let (mix, word): (UInt32, Int) =
                    switch i / 16 {
                    case 0: (b & c | ~b & d, i)
                    case 1: (d & b | ~d & c, (5 * i + 1) % 16)
                    case 2: (b ^ c ^ d, (3 * i + 5) % 16)
                    default: (c ^ (b | ~d), (7 * i) % 16)
                    }
                let turned = a &+ mix &+ table[i] &+ words[word]
                let shift = shifts[i / 16][i % 4]
                (a, d, c, b) = (d, c, b, b &+ (turned << shift | turned >> (32 - shift)))
            }
            state = zip(state, [a, b, c, d]).map { $0 &+ $1 }
        }
        return state.flatMap(little)
    }
}
