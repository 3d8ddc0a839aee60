import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

struct VMDKCheckTests {
    private func codes(_ path: String) throws -> [String] {
        var found: [String] = []
        try ImageProbe.check(path, format: .vmdk, locking: .ignore) {
            found.append("\($0.severity.rawValue) \($0.code)")
        }
        return found
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func realDisksAreClean() throws {
        for name in ["monolithicSparse", "streamOptimized", "twoGbMaxExtentSparse-s001", "vmfs_thick"] {
            #expect(try codes(try SharedSamples.path("formats/vmdk-rs/\(name).vmdk")) == [])
        }
    }

    @Test(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
    func disksByQEMUAndFromHereAreClean() throws {
        let directory = try TemporaryDirectory()
        let flat = try scatteredDisk(directory, "flat", byteCount: 40 << 20, seed: 6)
        for subformat in ["monolithicSparse", "streamOptimized"] {
            let path = directory.path("\(subformat).vmdk")
            try Tool.run("qemu-img", ["convert", "-O", "vmdk", "-o", "subformat=\(subformat)", flat, path])
            #expect(try codes(path) == [])
        }
        let path = directory.path("ours.vmdk")
        try copyIn(
            flat, try VMDKDriver.create(path, byteCount: 40 << 20, options: ImageCreateOptions()).disk)
        #expect(try codes(path) == [])
    }

    @Test func everythingWrongIsReported() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vmdk")
        let disk = try VMDKDriver.create(path, byteCount: 4 << 20, options: ImageCreateOptions()).disk
        try disk.write([UInt8](repeating: 9, count: 3 << 16), at: 0)
        try disk.flush()
        let clean = try fileBytes(path)
        func table(_ field: Int) -> Int {
            Int(clean.little(Int(clean.little(field, as: UInt64.self)) * 512, as: UInt32.self)) * 512
        }
        let (first, copy) = (table(56), table(48))
        let grain: UInt32 = clean.little(first)
        func changed(_ change: (inout [UInt8]) -> Void) throws -> [String] {
            var bytes = clean
            change(&bytes)
            return try codes(try directory.write("changed.vmdk", bytes))
        }
        #expect(try changed { _ in } == [])
        // Two entries with one grain, in both copies; the third grain of the file belongs to nobody then.
        let overlap = try changed { bytes in
            for place in [first, copy] { bytes.storeLittle(grain, at: place + 8) }
        }
        #expect(Set(overlap) == ["damage grains-overlap", "leak leaked-space"])
        #expect(
            try changed { bytes in
                for place in [first, copy] { bytes.storeLittle(UInt32(1 << 24), at: place) }
            }
            .contains("damage grain-place"))
        #expect(
            try changed { bytes in for place in [first, copy] { bytes.storeLittle(UInt32(21), at: place) } }
                .contains("damage grain-in-metadata"))
        // A cut between the two copies, and copies that contradict each other.
        #expect(try changed { $0.storeLittle(UInt32(0), at: copy) } == ["note tables-differ"])
        #expect(try changed { $0.storeLittle(grain + 128, at: copy) } == ["damage tables-differ"])
        #expect(try changed { $0[72] = 1 } == ["note unclean"])
        #expect(try changed { $0 += [UInt8](repeating: 0, count: 1 << 17) } == ["leak leaked-space"])
        let directoryOffset = Int(clean.little(56, as: UInt64.self)) * 512
        #expect(
            try changed { $0.storeLittle(UInt32.max, at: directoryOffset) }.contains(
                "damage damaged-directory"))
        #expect(try changed { $0[56] = 255 } != [])
    }

    /// Mutated tables: typed findings, soon, never a trap.
    @Test(arguments: 1..<3 as Range<UInt64>)
    func mutatedDisks(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vmdk")
        let disk = try VMDKDriver.create(path, byteCount: 40 << 20, options: ImageCreateOptions()).disk
        try disk.write([UInt8](repeating: 9, count: 3 << 16), at: 0)
        try disk.flush()
        try ImageFuzz.run(
            try fileBytes(path), regions: [0..<80, 512..<900, 10752..<11280, 11776..<16000], count: 60,
            seed: seed,
            format: .vmdk, name: "fuzz.vmdk", directory, repair: { _ in })
    }
}
