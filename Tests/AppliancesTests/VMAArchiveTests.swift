import Appliances
import Foundation
import Machines
import Storage
import TestSupport
import Testing

/// Backups of Proxmox VE.
@Suite struct VMAArchiveTests {
    private static let configuration = """
        #qmdump#map:scsi0:drive-scsi0:local-lvm:raw:
        boot: order=scsi0
        bios: ovmf
        cores: 2
        memory: 2048
        name: web
        efidisk0: local-lvm:vm-100-disk-2,size=4M
        net0: virtio=BC:24:11:00:00:01,bridge=vmbr0
        scsi0: local-lvm:vm-100-disk-0,size=1M
        scsi1: local-lvm:vm-100-disk-1,backup=0,size=1G
        scsihw: virtio-scsi-pci
        virtio2: local-lvm:vm-100-disk-3,size=300K
        """

    /// Bytes with blocks of zeros, and clusters of nothing else.
    private static func disk(_ seed: UInt64, _ count: Int) -> [UInt8] {
        var random = SeededRandom(seed)
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch random.next() % 4 {
            case 0: bytes += [UInt8](repeating: 0, count: 4096 * Int(random.next() % 40))
            default: bytes += random.bytes(4096)
            }
        }
        return Array(bytes.prefix(count))
    }

    private static func disks() -> [VMAMaker.Device] {
        [
            .init(name: "drive-efidisk0", bytes: disk(1, 528 << 10)),
            .init(name: "drive-scsi0", bytes: disk(2, 9 << 20)),
            .init(name: "drive-virtio2", bytes: disk(3, 300 << 10)),
        ]
    }

    private static func open(_ bytes: [UInt8], isSalvage: Bool = false) throws(StorageError) -> Appliance {
        let file = MemoryFile(bytes, path: "backup.vma")
        guard try Appliance.kind(of: file) == .vma else { throw file.shortFile(at: 0, 1) }
        return try Appliance.open(file, .vma, isSalvage: isSalvage)
    }

    @Test(arguments: [false, true]) func theMachineAndItsDisks(_ isShuffled: Bool) throws {
        let maker = VMAMaker(Self.disks(), Self.configuration)
        let appliance = try Self.open(maker.archive(shuffled: isShuffled ? 7 : nil))
        #expect(appliance.machine.name == "web" && appliance.machine.firmware == .uefi)
        #expect(
            appliance.machine.disks.map(\.controller?.kind) == [.virtioBlk, .virtioSCSI]
                || appliance.machine.disks.map(\.controller?.kind) == [.virtioSCSI, .virtioBlk])
        #expect(appliance.machine.absentDisks.count == 1)
        #expect(appliance.notes.contains { $0.contains("scsi1") && $0.contains("left out") })
        #expect(Set(appliance.disks.map(\.name)) == ["scsi0", "virtio2"])
        for disk in appliance.disks {
            let device = try #require(maker.devices.first { $0.name == "drive-\(disk.name)" })
            #expect(disk.file.byteCount == UInt64(device.bytes.count))
            try ByteFileSuite.reads(disk.file, device.bytes)
            try ByteFileSuite.refusesChanges(disk.file)
            // What is told of holes is true.
            var position: UInt64 = 0
            while position < disk.file.byteCount {
                let run = try disk.file.nextDataOrHole(at: position)
                #expect(run.end > position)
                if !run.isData {
                    let part = device.bytes[Int(position)..<Int(run.end)]
                    #expect(part.allSatisfy { $0 == 0 })
                }
                position = run.end
            }
        }
    }

    @Test func withoutAConfiguration() throws {
        let appliance = try Self.open(VMAMaker(Self.disks(), nil).archive())
        #expect(appliance.disks.map(\.name) == ["drive-scsi0", "drive-virtio2"])
    }

    /// Each is refused by its code, and nothing else happens.
    @Test func damage() throws {
        let maker = VMAMaker(Self.disks(), Self.configuration)
        let sound = maker.archive()
        func code(_ change: (inout [UInt8]) -> Void) -> (any LayerCode)? {
            var bytes = sound
            change(&bytes)
            do throws(StorageError) { _ = try Self.open(bytes) } catch {
                return [ApplianceCode.damagedHeader, .badExtent, .vmaVersion].first { error.isCode($0) }
            }
            return nil
        }
        let first = maker.headerByteCount
        #expect(code { $0[100] ^= 1 } as? ApplianceCode == .damagedHeader)
        #expect(code { $0[7] = 2 } as? ApplianceCode == .vmaVersion)
        #expect(code { $0[first + 41] ^= 1 } as? ApplianceCode == .badExtent)
        #expect(code { $0[first] = 0 } as? ApplianceCode == .badExtent)
        #expect(code { $0.removeLast(5000) } as? ApplianceCode == .badExtent)
        #expect(code { $0.removeLast($0.count - first - 100) } as? ApplianceCode == .badExtent)
        #expect(code { $0.removeLast($0.count - 600) } as? ApplianceCode == .damagedHeader)
        #expect(code { $0 += $0[first...] } as? ApplianceCode == .badExtent, "clusters twice")
        #expect(code { $0.removeLast($0.count - first) } as? ApplianceCode == .badExtent, "no clusters")
        // Right checksums over what cannot be.
        for wrong in VMAMaker.Wrong.allCases {
            _ = try? Self.readAll(maker.archive(wrong: wrong))
            #expect(throws: StorageError.self, "\(wrong)") { try Self.open(maker.archive(wrong: wrong)) }
        }
    }

    /// What is salvaged of it is read where it is there, and nothing traps.
    private static func readAll(_ bytes: [UInt8]) throws(StorageError) {
        for disk in try open(bytes, isSalvage: true).disks {
            for place in stride(from: 0, to: min(disk.file.byteCount, 16 << 20), by: 65_536) {
                do throws(StorageError) {
                    _ = try disk.file.bytes(at: place, count: 1)
                } catch {
                    guard error.isCode(ApplianceCode.badExtent) else { throw error }
                }
            }
        }
    }

    @Test func whatIsLeftOfACutOne() throws {
        let maker = VMAMaker(Self.disks(), Self.configuration)
        let sound = maker.archive()
        let cut = Array(sound.prefix(sound.count * 2 / 3))
        #expect(throws: StorageError.self) { try Self.open(cut) }
        let appliance = try Self.open(cut, isSalvage: true)
        #expect(appliance.notes.contains { $0.contains("lost") })
        let disk = try #require(appliance.disks.first { $0.name == "scsi0" })
        let device = try #require(maker.devices.first { $0.name == "drive-scsi0" })
        #expect(isSame(try disk.file.bytes(at: 0, count: 1 << 20), Array(device.bytes.prefix(1 << 20))))
        let end = try #require(throws: StorageError.self) {
            try disk.file.bytes(at: UInt64(device.bytes.count) - 4096, count: 4096)
        }
        #expect(end.isCode(ApplianceCode.badExtent))
    }

    /// Every byte of the headers changed, with their checksums put right: an error or the right bytes, never a trap.
    @Test func headersWithChangedBytes() throws {
        let maker = VMAMaker([.init(name: "drive-scsi0", bytes: Self.disk(4, 200 << 10))], Self.configuration)
        let sound = maker.archive()
        var random = SeededRandom(6)
        for round in 0..<600 {
            var bytes = sound
            let isHeader = round % 3 == 0
            let place =
                isHeader
                ? [4, 48, 52, 56, 2044, 3068, 4096 + 32].randomElement(using: &random)!
                    + Int(random.next() % 16)
                : maker.headerByteCount + Int(random.next() % 512)
            bytes[place] = UInt8(truncatingIfNeeded: random.next())
            maker.putChecksumsRight(&bytes)
            do throws(StorageError) {
                for disk in try Self.open(bytes).disks {
                    _ = try disk.file.bytes(at: 0, count: Int(min(disk.file.byteCount, 1 << 20)))
                }
            } catch {}
            do throws(StorageError) {
                try Self.readAll(bytes)
            } catch {}
        }
    }
}
