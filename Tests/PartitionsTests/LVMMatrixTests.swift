internal import Foundation
internal import HostIO
internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// Where the script left its groups.
private enum LVMMatrix {
    static let root = ProcessInfo.processInfo.environment["DISKGRAFT_LVM_MATRIX"]
    static let cases: [String] =
        root.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
}

/// Reads what Tests/Scripts/lvm-matrix.sh made and compares with lvm2's reports. Where a volume's bytes lie is
/// checked by bytes: every sector of the disks is marked with its place.
@Suite(.enabled(if: LVMMatrix.root != nil, "run by Tests/Scripts/lvm-matrix.sh"))
struct LVMMatrixTests {
    static let root = ProcessInfo.processInfo.environment["DISKGRAFT_LVM_MATRIX"]
    static let cases: [String] =
        root.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []

    /// The rows of one of lvm's JSON reports.
    private func report(_ path: String, _ key: String) throws -> [[String: String]] {
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        let reports = (json as? [String: Any])?["report"] as? [[String: Any]]
        return try #require(reports?.first?[key] as? [[String: String]])
    }

    private static let marker = 16

    @Test(arguments: LVMMatrix.cases)
    func agrees(_ name: String) throws {
        let directory = "\(LVMMatrix.root ?? "")/\(name)"
        var diskOf: [String: Int] = [:]
        var disks: [FileDevice] = []
        for line in try fileBytes(directory + "/devices").text.split(separator: "\n") {
            let parts = line.split(separator: " ").map { String($0) }
            diskOf[parts[0]] = disks.count
            disks.append(try fileDevice("\(directory)/\(parts[1])", access: .write))
        }
        let group = try report(directory + "/vgs.json", "vg")[0]
        let extent = try #require(group["vg_extent_size"].flatMap { UInt64($0) })
        var starts: [Int: UInt64] = [:]
        for row in try report(directory + "/pvs.json", "pv") {
            let disk = try #require(diskOf[row["pv_name"] ?? ""])
            starts[disk] = UInt64(row["pe_start"] ?? "")
            try mark(disks[disk], disk, from: starts[disk] ?? 0)
        }

        let found = try discover(disks: disks.map { try fileDevice($0.file.path) })
        let mine = try #require(found.groups.first)
        #expect(found.groups.count == 1 && mine.name == group["vg_name"] && mine.id == group["vg_uuid"])
        #expect(String(mine.sequenceNumber) == group["vg_seqno"])
        #expect(mine.extentByteCount == extent)
        #expect(
            Set(mine.physicalVolumes.map(\.id))
                == Set(try report(directory + "/pvs.json", "pv").compactMap { $0["pv_uuid"] }))

        let rows = try report(directory + "/lvs.json", "seg")
        #expect(Set(mine.logicalVolumes.map(\.name)) == Set(rows.map { plain($0["lv_name"] ?? "") }))
        for row in rows where !(row["lv_name"] ?? "").hasPrefix("[") {
            let volume = try #require(found.volume(named: "\(mine.name)/\(row["lv_name"] ?? "")"))
            #expect(String(volume.device.byteCount) == row["lv_size"])
            #expect(mine.logicalVolumes.first { $0.name == row["lv_name"] }?.id == row["lv_uuid"])
            #expect((volume.device as? MappedDevice)?.writeRefusal == nil)
            try compare(volume.device, row, rows, extent, diskOf, starts)
        }
    }

    /// "[hidden]" as it is called in the metadata.
    private func plain(_ name: String) -> String {
        name.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    }

    /// Writes disk and position into every 4 KiB.
    private func mark(_ device: FileDevice, _ disk: Int, from start: UInt64) throws {
        for offset in stride(from: start, to: device.byteCount - 15, by: 4096) {
            var bytes = [UInt8](repeating: 0, count: Self.marker)
            bytes.storeLittle(UInt64(disk), at: 0)
            bytes.storeLittle(offset, at: 8)
            try device.write(bytes, at: offset)
        }
    }

    /// Every 4 KiB of the segment lies where lvs says.
    private func compare(
        _ device: any BlockDevice, _ row: [String: String], _ rows: [[String: String]], _ extent: UInt64,
        _ diskOf: [String: Int], _ starts: [Int: UInt64]
    ) throws {
        let first = try #require(row["seg_start_pe"].flatMap { UInt64($0) }) * extent
        let count = try #require(row["seg_size_pe"].flatMap { UInt64($0) }) * extent
        let legs = (row["devices"] ?? "").split(separator: ",").map { String($0) }
        let chunk = UInt64(row["stripe_size"] ?? "0") ?? 0
        for offset in stride(from: 0, to: count, by: 4096) {
            let index = chunk == 0 ? 0 : offset / chunk
            let leg = legs[Int(index % UInt64(legs.count))]
            let within = chunk == 0 ? offset : index / UInt64(legs.count) * chunk + offset % chunk
            let (disk, place) = try resolve(leg, within, rows, extent, diskOf, starts)
            let bytes = try device.bytes(at: first + offset, count: Self.marker)
            guard bytes.little(0, as: UInt64.self) == UInt64(disk), bytes.little(8, as: UInt64.self) == place
            else {
                Issue.record("\(row) at \(offset): \(bytes)")
                return
            }
        }
    }

    /// "/dev/loop0(12)" or "r0_rimage_0(0)" and an offset behind it, as a disk and a position.
    private func resolve(
        _ leg: String, _ offset: UInt64, _ rows: [[String: String]], _ extent: UInt64,
        _ diskOf: [String: Int],
        _ starts: [Int: UInt64]
    ) throws -> (Int, UInt64) {
        let parts = leg.split(whereSeparator: { $0 == "(" || $0 == ")" }).map { String($0) }
        let position = (UInt64(parts[1]) ?? 0) * extent + offset
        if let disk = diskOf[parts[0]] { return (disk, (starts[disk] ?? 0) + position) }
        let row = try #require(
            rows.first { row in
                let first = (UInt64(row["seg_start_pe"] ?? "") ?? 0) * extent
                let count = (UInt64(row["seg_size_pe"] ?? "") ?? 0) * extent
                return plain(row["lv_name"] ?? "") == parts[0] && (first..<first + count).contains(position)
            })
        let first = (UInt64(row["seg_start_pe"] ?? "") ?? 0) * extent
        return try resolve(row["devices"] ?? "", position - first, rows, extent, diskOf, starts)
    }
}
