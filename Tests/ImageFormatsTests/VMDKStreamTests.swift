import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// streamOptimized disks in the shapes that writers give them, and with grains that are not what they say.
@Suite(.enabled(if: Tool.has("gzip"), "gzip is not installed"))
struct VMDKStreamTests {
    enum Place: CaseIterable { case front, end, footer }

    /// A stream over grains that are compressed as `compress` says; 64 KiB each, the last one cut where the disk ends.
    static func stream(
        _ disk: [UInt8], place: Place, hasMarkers: Bool, hasTrailer: Bool = true,
        compress: (_ index: Int, _ grain: [UInt8]) throws -> [UInt8]
    ) throws -> [UInt8] {
        let grains = (disk.count + 65535) / 65536
        precondition(grains <= 512)
        func padded(_ bytes: [UInt8]) -> [UInt8] {
            bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
        }
        func marker(_ sectors: Int, _ type: Int) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 512)
            bytes.storeLittle(UInt64(sectors), at: 0)
            bytes.storeLittle(UInt32(type), at: 12)
            return bytes
        }
        let text = VMDKFixtures.descriptor("streamOptimized", "RW \(disk.count / 512) SPARSE \"stream.vmdk\"")
        var file = [UInt8](repeating: 0, count: 512) + Array(text.utf8)
        file = padded(file) + [UInt8](repeating: 0, count: 512)
        let descriptorSectors = file.count / 512 - 1
        let front = file.count / 512
        if place == .front { file += [UInt8](repeating: 0, count: 512 + 2048) }
        var entries = [UInt8](repeating: 0, count: 2048)
        for index in 0..<grains {
            let grain = Array(disk[index * 65536..<min((index + 1) * 65536, disk.count)])
            guard grain.contains(where: { $0 != 0 }) else { continue }
            let payload = try compress(index, grain)
            entries.storeLittle(UInt32(file.count / 512), at: index * 4)
            var head = [UInt8](repeating: 0, count: hasMarkers ? 12 : 4)
            if hasMarkers { head.storeLittle(UInt64(index * 128), at: 0) }
            head.storeLittle(UInt32(payload.count), at: head.count - 4)
            file += padded(head + payload)
        }
        var directory = front
        if place == .front {
            file.storeLittle(UInt32(front + 1), at: front * 512)
            file.replaceSubrange((front + 1) * 512..<(front + 5) * 512, with: entries)
        } else {
            if hasMarkers { file += marker(4, 1) }
            let table = file.count / 512
            file += entries
            if hasMarkers { file += marker(1, 2) }
            directory = file.count / 512
            var sector = [UInt8](repeating: 0, count: 512)
            sector.storeLittle(UInt32(table), at: 0)
            file += sector
        }
        func header(_ directory: UInt64) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 512)
            bytes.replaceSubrange(0..<4, with: Array("KDMV".utf8))
            bytes.storeLittle(UInt32(3), at: 4)
            bytes.storeLittle(UInt32(hasMarkers ? 0x30001 : 0x10001), at: 8)
            bytes.storeLittle(UInt64(disk.count / 512), at: 12)
            bytes.storeLittle(UInt64(128), at: 20)
            bytes.storeLittle(UInt64(1), at: 28)
            bytes.storeLittle(UInt64(descriptorSectors), at: 36)
            bytes.storeLittle(UInt32(512), at: 44)
            bytes.storeLittle(directory, at: 56)
            bytes.storeLittle(UInt64(front), at: 64)
            bytes.replaceSubrange(73..<77, with: Array("\n \r\n".utf8))
            bytes[77] = 1
            return bytes
        }
        if place == .footer {
            if hasTrailer { file += marker(1, 3) }
            file += header(UInt64(directory))
            file.replaceSubrange(0..<512, with: header(.max))
        } else {
            file.replaceSubrange(0..<512, with: header(UInt64(directory)))
        }
        if hasTrailer { file += [UInt8](repeating: 0, count: 512) }
        return file
    }

    /// The bytes as a zlib stream, by Python.
    static func zlib(_ bytes: [UInt8], _ directory: TemporaryDirectory) throws -> [UInt8] {
        let path = try directory.write("plain", bytes)
        try Tool.run(
            "python3",
            [
                "-c",
                "import sys,zlib; open(sys.argv[2],'wb').write(zlib.compress(open(sys.argv[1],'rb').read()))",
                path, path + ".z",
            ])
        return try fileBytes(path + ".z")
    }

    private static func disk(_ sectors: Int = 1100) -> [UInt8] {
        (0..<sectors * 512).map { $0 / 65536 % 3 == 1 ? 0 : UInt8(truncatingIfNeeded: $0 / 100 &* 7 + 1) }
    }

    @Test(arguments: Place.allCases, [true, false])
    func everyShapeIsRead(_ place: Place, hasMarkers: Bool) throws {
        let directory = try TemporaryDirectory()
        let disk = Self.disk()
        // The last grain is cut where the disk ends, or goes on to its own end.
        for isWhole in [false, true] {
            for hasTrailer in [true, false] {
                let bytes = try Self.stream(
                    disk, place: place, hasMarkers: hasMarkers, hasTrailer: hasTrailer
                ) {
                    _, grain in
                    let rest = [UInt8](repeating: 0xee, count: isWhole ? 65536 - grain.count : 0)
                    return try Self.zlib(grain + rest, directory)
                }
                for padding in [0, 512, 10240] {
                    let path = try directory.write("s.vmdk", bytes + [UInt8](repeating: 0, count: padding))
                    let image = try VMDKFixtures.open(path)
                    #expect(isSame(try VMDKFixtures.contents(image.disk), disk))
                    #expect(image.info.warnings == [])
                    #expect(try VMDKFixtures.findings(path) == [])
                    #expect(VMDKFixtures.openCode(path, access: .write) == "stream-optimized")
                }
                guard Tool.has("qemu-img"), isWhole, hasTrailer, hasMarkers else { continue }
                let path = try directory.write("s.vmdk", bytes)
                #expect(isSame(try VMDKFixtures.qemuContents(path, directory), disk))
                if let theirs = try VMDKFixtures.dissectContents(path, directory) {
                    #expect(isSame(Array(theirs.prefix(disk.count)), disk))
                }
            }
        }
    }

    /// A grain that inflates to less or more than it should, anywhere but at the disk's end.
    @Test(arguments: [true, false])
    func grainsHoldWhatTheyShould(hasMarkers: Bool) throws {
        let directory = try TemporaryDirectory()
        let disk = Self.disk()
        for (change, code) in [
            (-1, "compressed-unit"), (1, "compressed-unit"), (-65535, "compressed-unit"),
            (70_000, "compressed-unit"), (0, nil),
        ] as [(Int, String?)] {
            let bytes = try Self.stream(disk, place: .footer, hasMarkers: hasMarkers) { index, grain in
                guard index == 3 else { return try Self.zlib(grain, directory) }
                return try Self.zlib(
                    Array(grain.prefix(65536 + min(change, 0)))
                        + [UInt8](repeating: 9, count: max(change, 0)), directory)
            }
            let image = try VMDKFixtures.open(try directory.write("s.vmdk", bytes))
            #expect(try image.disk.bytes(at: 0, count: 65536) == Array(disk[0..<65536]))
            var found: String?
            do {
                _ = try image.disk.bytes(at: 3 << 16, count: 10)
            } catch { found = error.code }
            #expect(found == code, "\(change)")
        }
        // A short stream whose size field covers another one behind it.
        let bytes = try Self.stream(disk, place: .end, hasMarkers: hasMarkers) { index, grain in
            guard index == 3 else { return try Self.zlib(grain, directory) }
            return try Self.zlib(Array(grain.prefix(100)), directory)
                + Self.zlib(Array(grain.dropFirst(100)), directory)
        }
        let image = try VMDKFixtures.open(try directory.write("s.vmdk", bytes))
        #expect(throws: StorageError.self) { try image.disk.bytes(at: 3 << 16, count: 65536) }
    }

    /// A bomb: a grain of a hundred MiB in a hundred KiB costs a grain's memory.
    @Test func bombsAreGrainsThatGoOn() throws {
        let directory = try TemporaryDirectory()
        let disk = Self.disk()
        let bomb = try Self.zlib([UInt8](repeating: 0, count: 60 << 20), directory)
        for index in [0, 8] {
            let bytes = try Self.stream(disk, place: .footer, hasMarkers: true) { number, grain in
                number == index ? bomb : try Self.zlib(grain, directory)
            }
            let image = try VMDKFixtures.open(try directory.write("s.vmdk", bytes))
            let error = #expect(throws: StorageError.self) {
                try image.disk.bytes(at: UInt64(index) << 16, count: 10)
            }
            #expect(error?.kind == .corrupt)
        }
    }

    @Test func aStreamThatWasNotFinishedIsSaidToBe() throws {
        let directory = try TemporaryDirectory()
        var bytes = try Self.stream(Self.disk(), place: .front, hasMarkers: true) { _, grain in
            try Self.zlib(grain, directory)
        }
        bytes.replaceSubrange(0..<4, with: Array("vmdk".utf8))
        let path = try directory.write("s.vmdk", bytes)
        #expect(try ImageProbe.format(of: HostFile.open(path)) == .vmdk)
        #expect(VMDKFixtures.openCode(path, format: nil) == "unfinished")
        #expect(VMDKFixtures.checkCodes(path) == ["unfinished"])
    }
}
