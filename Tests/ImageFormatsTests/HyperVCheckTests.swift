import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// What `check` finds in VHD and VHDX.
struct HyperVCheckTests {
    private func findings(_ path: String) throws -> [Finding] {
        var found: [Finding] = []
        try ImageProbe.check(path, locking: .ignore) { found.append($0) }
        return found
    }

    private func codes(_ bytes: [UInt8], _ directory: TemporaryDirectory) throws -> [String] {
        try findings(try directory.write("checked", bytes)).map(\.code)
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func realDisksAreClean() throws {
        let directory = try TemporaryDirectory()
        for name in ["dynamic.vhd", "fixed.vhd", "dynamic.vhdx", "fixed.vhdx", "differencing.avhdx"] {
            let path = try SharedSamples.unpack("formats/dissect/\(name).gz", into: directory)
            #expect(try findings(path).filter { $0.severity == .damage } == [], "\(name)")
        }
    }

    @Test func disksMadeHereAreClean() throws {
        let directory = try TemporaryDirectory()
        #expect(try codes(VHDFixture.dynamic(directory), directory) == [])
        #expect(try codes(VHDXFixture.dynamic(directory), directory) == [])
        for (driver, suffix) in [(VHDDriver.self, "vhd"), (VHDXDriver.self, "vhdx")]
            as [(any ImageDriver.Type, String)]
        {
            let parent = directory.path("base.\(suffix)")
            let base = try driver.create(parent, byteCount: 9 << 20, options: ImageCreateOptions()).disk
            try base.write([1], at: 5 << 20)
            try base.flush()
            let path = directory.path("child.\(suffix)")
            let child = try driver.create(path, byteCount: 0, options: ImageCreateOptions(parent: parent))
                .disk
            try child.write([2], at: 3 << 20)
            try child.flush()
            #expect(try findings(parent) == [])
            #expect(try findings(path) == [])
        }
    }

    @Test func everythingWrongIsReported() throws {
        let directory = try TemporaryDirectory()
        var vhd = try VHDFixture.dynamic(directory)
        let bitmap = Int(vhd.big(1536, as: UInt32.self)) * 512
        vhd[bitmap + 1] = 0b1100_0111
        vhd.storeBig(UInt32(0x7fff_ffff), at: 1536 + 4)
        vhd.storeBig(UInt32(1), at: 1536 + 12)
        vhd[64] ^= 1
        #expect(
            try codes(vhd, directory) == [
                "bad-checksum", "block-outside-file", "block-in-metadata", "data-under-clear-bits",
            ])
        vhd = try VHDFixture.dynamic(directory)
        vhd.storeBig(vhd.big(1536 + 8, as: UInt32.self) + 7, at: 1536)
        #expect(try codes(vhd, directory).contains("blocks-overlap"))
        vhd = try VHDFixture.dynamic(directory)
        vhd.storeBig(UInt32.max, at: 1536)
        #expect(try codes(vhd, directory) == ["leaked-space"])
        #expect(try codes(Array(vhd.suffix(512)), directory) == ["no-header"])

        var vhdx = try VHDXFixture.dynamic(directory)
        let table = VHDXFixture.table
        vhdx.storeLittle(UInt64(4), at: table + 8)
        vhdx.storeLittle(UInt64(1 << 40 | 6), at: table + 16)
        vhdx.storeLittle(UInt64(4 << 20 | 6), at: table + 24)
        vhdx[VHDXFixture.headers[0]] = 0
        vhdx[VHDXFixture.regions[1]] = 0
        let found = try codes(vhdx, directory)
        #expect(
            found.prefix(4) == [
                "no-valid-header", "no-valid-region-table", "block-state", "block-outside-file",
            ])
        #expect(found.contains("blocks-overlap"))
        vhdx = try VHDXFixture.dynamic(directory)
        vhdx.storeLittle(UInt64(0), at: table)
        #expect(try codes(vhdx, directory) == ["leaked-space"])
    }
}
