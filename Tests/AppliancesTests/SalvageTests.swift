import Appliances
import Storage
import TestSupport
import Testing

/// Archives that are cut off or damaged: the members that are there.
@Suite(.enabled(if: Tool.has("gzip"), "gzip is not installed"))
struct SalvageTests {
    private static func envelope(_ names: [String], _ attributes: String = "") -> [UInt8] {
        let files = names.map { "<File ovf:href=\"\($0)\" ovf:id=\"\($0)\"\(attributes)/>" }.joined()
        let disks = names.map { "<Disk ovf:diskId=\"d-\($0)\" ovf:fileRef=\"\($0)\"/>" }.joined()
        let items = names.map {
            "<Item><rasd:ResourceType>17</rasd:ResourceType><rasd:HostResource>ovf:/disk/d-\($0)</rasd:HostResource></Item>"
        }.joined()
        return Array(
            """
            <Envelope xmlns:ovf="o" xmlns:rasd="r"><References>\(files)</References><DiskSection>\(disks)</DiskSection>
            <VirtualSystem ovf:id="web"><VirtualHardwareSection>\(items)</VirtualHardwareSection></VirtualSystem></Envelope>
            """.utf8)
    }

    private static let names = ["a.vmdk", "b.vmdk", "c.vmdk"]
    private static func contents(_ index: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(index + 1), count: 5000)
    }

    private static func archive() -> [UInt8] {
        var maker = ArchiveMaker()
        maker.add("web.ovf", envelope(names))
        maker.add("web.mf", Array("SHA1(a.vmdk)= 00".utf8))
        for (index, name) in names.enumerated() { maker.add(name, contents(index)) }
        maker.end()
        return maker.bytes
    }

    private static func open(_ bytes: [UInt8], _ kind: Appliance.Kind = .ova) throws(StorageError)
        -> Appliance
    {
        try Appliance.open(MemoryFile(bytes, path: "/web.ova"), kind, isSalvage: true)
    }

    @Test func cuts() throws {
        let whole = Self.archive()
        // Behind the description, at every block and beside it.
        let start = (whole.count - 1024) - 3 * 5632
        for cut in stride(from: start, through: whole.count, by: 512).flatMap({ [$0 - 1, $0, $0 + 300] }) {
            let appliance = try Self.open(Array(whole.prefix(cut)))
            #expect(appliance.disks.map(\.name) == Self.names)
            for (index, disk) in appliance.disks.enumerated() {
                let first = start + index * 5632 + 512
                let there = max(min(cut - first, 5000), 0)
                #expect(disk.file.byteCount == UInt64(there), "\(index) of \(cut)")
                #expect(try disk.file.bytes(at: 0, count: there) == Array(Self.contents(index).prefix(there)))
                #expect(disk.isMissing == (cut < first))
            }
            let isCut = cut >= start + 512 && cut < whole.count - 1024 - 120
            #expect(
                appliance.notes.contains { $0.contains("cut off") }
                    == (isCut && (cut - start) % 5632 >= 512
                        && (cut - start) % 5632 < 5512))
        }
        #expect(throws: StorageError.self) {
            try Appliance.open(MemoryFile(Array(whole.prefix(start + 700))), .ova, verifies: false)
        }
    }

    /// A header that is damaged hides its own member and no other.
    @Test func damagedHeaders() throws {
        var bytes = Self.archive()
        let header = (bytes.count - 1024) - 2 * 5632
        bytes[header + 3] ^= 0xff
        let appliance = try Self.open(bytes)
        #expect(appliance.disks.map(\.isMissing) == [false, true, false])
        #expect(try appliance.disks[2].file.bytes(at: 0, count: 5000) == Self.contents(2))
        #expect(appliance.notes.contains { $0.contains("damaged headers") })
    }

    @Test func compressedMembers() throws {
        let directory = try TemporaryDirectory()
        let plain = SeededBytes.block(300_000, seed: 4).map { $0 & 15 }
        try Tool.run("gzip", [try directory.write("disk", plain)])
        let packed = try fileBytes(directory.path("disk.gz"))
        for (cut, isDamaged) in [(packed.count / 2, false), (packed.count - 4, false), (packed.count, true)] {
            var member = Array(packed.prefix(cut))
            if isDamaged { for index in 0..<2000 { member[packed.count / 2 + index] = 0xff } }
            var maker = ArchiveMaker()
            maker.add("web.ovf", Self.envelope(["disk.gz"], " ovf:compression=\"gzip\""))
            maker.add("disk.gz", member)
            maker.end()
            #expect(throws: StorageError.self) { try Appliance.open(maker.file(), .ova) }
            let file = try Self.open(maker.bytes).disks[0].file
            let count = Int(file.byteCount)
            #expect(count > 100_000 && count <= plain.count)
            // Backwards too, by way of the restarts.
            let sound = isDamaged ? min(count, 140_000) : count
            #expect(try file.bytes(at: 0, count: sound) == Array(plain.prefix(sound)))
            #expect(try file.bytes(at: UInt64(sound - 100), count: 100) == Array(plain[sound - 100..<sound]))
            #expect(try file.bytes(at: 0, count: 100) == Array(plain.prefix(100)))
        }
    }

    /// Of an export: the pieces up to the cut; the others are errors, and no zeros.
    @Test func exports() throws {
        let maker = try XVAArchiveTests.archive(size: 4096 * 6) { maker in
            for number in [0, 2, 3, 5] {
                try XVAArchiveTests.piece(&maker, number, [UInt8](repeating: UInt8(number + 1), count: 4096))
            }
        }
        // From the end: 1024 of zeros, and 5632 for each piece with its checksum.
        for missing in 0...3 {
            for rest in [0, 100, 700, 4700] where missing > 0 {
                let cut = maker.bytes.count - 1024 - missing * 5632 + rest
                let disk = try Self.open(Array(maker.bytes.prefix(cut)), .xva).disks[0].file
                let whole = [0, 2, 3, 5].prefix(4 - missing + (rest >= 4608 ? 1 : 0))
                let end = UInt64((whole.last ?? 0) + 1) * 4096
                let expected = (0..<6).flatMap { number in
                    [UInt8](repeating: whole.contains(number) ? UInt8(number + 1) : 0, count: 4096)
                }
                #expect(try disk.bytes(at: 0, count: Int(end)) == Array(expected.prefix(Int(end))))
                #expect(disk.byteCount == 4096 * 6)
                guard end < 4096 * 6 else { continue }
                #expect(throws: StorageError.self) { try disk.bytes(at: end, count: 1) }
                #expect(try disk.nextDataOrHole(at: end) == (true, 4096 * 6))
            }
        }
    }
}
