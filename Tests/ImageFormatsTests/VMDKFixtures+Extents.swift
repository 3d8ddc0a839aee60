import Foundation
import Storage
import TestSupport

// Extents that no tool here makes, written from the formats' descriptions.

extension VMDKFixtures {
    /// A text of a descriptor.
    static func descriptor(
        _ type: String, _ lines: String, contentID: String = "00c0ffee",
        parent: (contentID: String, hint: String)? = nil,
        more: String = ""
    ) -> String {
        """
        # Disk DescriptorFile
        version=1
        CID=\(contentID)
        parentCID=\(parent?.contentID ?? "ffffffff")
        createType="\(type)"
        \(parent.map { "parentFileNameHint=\"\($0.hint)\"" } ?? "")
        \(more)
        # Extent description
        \(lines)

        # The Disk Data Base
        #DDB

        ddb.virtualHWVersion = "4"

        """
    }

    /// An ESX extent (COWD) with the grains of `disk` that `holds` says, in order, and no table where none is held.
    static func vmfsSparse(
        _ disk: [UInt8], grainSectors: Int = 1, freeSector: Int? = nil, holds: (Int) -> Bool
    ) -> [UInt8] {
        let grain = grainSectors * 512
        let grains = (disk.count + grain - 1) / grain
        let tables = (grains + 4095) / 4096
        let directorySectors = (tables * 4 + 511) / 512
        var file = [UInt8](repeating: 0, count: (4 + directorySectors) * 512)
        file.replaceSubrange(0..<4, with: Array("COWD".utf8))
        for (offset, value) in [
            (4, 1), (8, 3), (12, disk.count / 512), (16, grainSectors), (20, 4), (24, directorySectors * 128),
        ] { file.storeLittle(UInt32(value), at: offset) }
        for table in 0..<tables {
            let held = (table * 4096..<min((table + 1) * 4096, grains)).filter(holds)
            guard !held.isEmpty else { continue }
            let place = file.count
            file.storeLittle(UInt32(place / 512), at: 2048 + table * 4)
            file += [UInt8](repeating: 0, count: 16384)
            for index in held {
                file.storeLittle(UInt32(file.count / 512), at: place + (index - table * 4096) * 4)
                var bytes = Array(disk[index * grain..<min((index + 1) * grain, disk.count)])
                bytes += [UInt8](repeating: 0, count: grain - bytes.count)
                file += bytes
            }
        }
        file.storeLittle(UInt32(freeSector ?? file.count / 512), at: 28)
        return file
    }

    /// What an entry of an seSparse table is.
    enum SESparseEntry { case absent, unmapped, zero, data }

    /// An seSparse extent. Grains lie in the file in the opposite order, as they may in any.
    static func seSparse(_ disk: [UInt8], entry: (Int) -> SESparseEntry) -> [UInt8] {
        let grains = (disk.count + 4095) / 4096
        let tables = (grains + 4095) / 4096
        let directorySectors = (tables * 8 + 511) / 512
        let directory = 16
        let tableStart = directory + directorySectors
        let grainStart = (tableStart + tables * 64 + 7) / 8 * 8
        let held = (0..<grains).filter { entry($0) == .data }
        var file = [UInt8](repeating: 0, count: grainStart * 512 + held.count * 4096)
        for (offset, value) in [
            (0, 0xcafe_babe), (8, 0x2_0000_0001), (16, disk.count / 512), (24, 8), (32, 64), (80, 1), (88, 1),
            (96, 2), (104, 2), (112, 4), (120, 4), (128, directory), (136, directorySectors),
            (144, tableStart), (152, tables * 64), (160, 8), (168, 1), (176, 9), (184, 1), (192, grainStart),
            (200, held.count * 8), (512, 0xcafe_cafe),
        ] { file.storeLittle(UInt64(value), at: offset) }
        var used: [Int] = []
        for index in 0..<grains where entry(index) != .absent && !used.contains(index / 4096) {
            used.append(index / 4096)
        }
        // Tables too: the last one first.
        for (number, table) in used.reversed().enumerated() {
            file.storeLittle(UInt64(0x1000_0000) << 32 | UInt64(number), at: directory * 512 + table * 8)
        }
        for index in 0..<grains {
            guard let number = Array(used.reversed()).firstIndex(of: index / 4096) else { continue }
            let place = tableStart * 512 + number * 32768 + index % 4096 * 8
            switch entry(index) {
            case .absent: continue
            case .unmapped: file.storeLittle(UInt64(1) << 60, at: place)
            case .zero: file.storeLittle(UInt64(2) << 60, at: place)
            case .data:
                guard let order = held.firstIndex(of: index) else { continue }
                let grain = UInt64(held.count - 1 - order)
                file.storeLittle(UInt64(3) << 60 | (grain & 0xfff) << 48 | grain >> 12, at: place)
                let bytes = disk[index * 4096..<min((index + 1) * 4096, disk.count)]
                let start = grainStart * 512 + Int(grain) * 4096
                file.replaceSubrange(start..<start + bytes.count, with: bytes)
            }
        }
        return file
    }

    /// The guest bytes as dissect.hypervisor reads them; nil where it is not installed.
    static func dissectContents(_ path: String, _ directory: TemporaryDirectory) throws -> [UInt8]? {
        guard let python = dissectPython else { return nil }
        let raw = directory.path("dissect.raw")
        try Tool.run(
            python,
            [
                "-c",
                """
                import shutil, sys
                from dissect.hypervisor.disk.vmdk import VMDK
                disk, done = VMDK(sys.argv[1]), 0
                with open(sys.argv[2], "wb") as out:
                    while done < disk.size:
                        disk.seek(done)
                        data = disk.read(min(1 << 20, disk.size - done))
                        out.write(data)
                        done += len(data)
                """, path, raw,
            ])
        return try fileBytes(raw)
    }

    /// A Python that has dissect.hypervisor.
    static let dissectPython: String? = ["python3", "/usr/bin/python3"].first {
        (try? Tool.run($0, ["-c", "import dissect.hypervisor.disk.vmdk"], expect: nil).status) == 0
    }
}
