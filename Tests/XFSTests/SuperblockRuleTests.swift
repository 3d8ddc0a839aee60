import Storage
import TestSupport
import Testing

@testable import XFS

/// Fields of the superblock with which the kernel mounts nothing, and its copies: xfs_repair finds them, the check does too, and the
/// volume is read and not written.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct SuperblockRuleTests {
    private func mended(_ image: XFSImage, group: UInt32, _ offset: Int, _ value: [UInt8]) throws -> XFSImage
    {
        let device = try image.device()
        let geometry = try #require(try Superblock.read(from: device)).geometry()
        let position = geometry.position(ofSector: 0, in: AGNumber(group))
        var bytes = try device.bytes(at: position, count: geometry.sectorSize)
        bytes.replaceSubrange(offset..<offset + value.count, with: value)
        if geometry.hasChecksums { Checksum.update(&bytes, at: Superblock.Offset.checksum) }
        return try XFSImage(image.path, with: [OrderedWrites.Write(offset: position, bytes: bytes)])
    }

    private func codes(_ device: MemoryDevice) throws -> Set<String> {
        var codes: Set<String> = []
        try XFSDriver.check(device) { codes.insert($0.code) }
        return codes
    }

    private static let fields: [(offset: Int, value: [UInt8])] = [
        (100, [0xb2]), (127, [101]), (176, [0, 0x80]), (179, [1]), (187, [4]), (191, [7]), (194, [2, 0]),
        (80, [0, 0, 0, 0]), (31, [1]), (95, [1]), (125, [3]), (159, [1]), (96, [0x7f]),
    ]
    private static let newFields: [(offset: Int, value: [UInt8])] = [
        (100, [0xa4]), (202, [1, 0x82]), (176, [0, 0x10]), (183, [3]), (231, [3]),
    ]

    @Test(arguments: [Profile.rhel9, .rhel6]) func fieldsAreChecked(_ profile: Profile) throws {
        let image = try XFSImage(profile, files: ["file": [1]])
        try #require(try codes(image.device()) == [])
        let isNew = profile.name == "rhel9"
        for (offset, value) in Self.fields + (isNew ? Self.newFields : []) {
            if isNew, offset == 176, value == [0, 0x80] { continue }
            let changed = try mended(image, group: 0, offset, value)
            // A log of other sizes is not read.
            let isLog = offset == 96
            if offset != 176 { #expect(try changed.defects() != "", "byte \(offset)") }
            let found = try codes(changed.device())
            #expect(found.contains("bad-superblock"), "byte \(offset): \(found)")
            guard !isLog else { continue }
            let volume = try XFSFileSystem.open(changed.device())
            #expect(volume.warnings.count == 1, "byte \(offset)")
            #expect(try volume.find("file") != nil, "byte \(offset)")
            #expect(code { _ = try volume.begin() } == "bad-superblock", "byte \(offset)")
        }
    }

    /// Bits of features that no volume of the version has.
    @Test(arguments: [Profile.rhel9, .rhel6]) func unknownFeatures(_ profile: Profile) throws {
        let image = try XFSImage(profile)
        let bits =
            profile.name == "rhel9"
            ? [[UInt8(0), 0x80, 1, 0x8a], [0x40, 0, 1, 0x8a]] : [[0, 0x80, 0, 0x8a], [0, 0, 1, 0x8a]]
        for value in bits {
            let changed = try mended(image, group: 0, Superblock.Offset.features2, value)
            #expect(try changed.defects() != "")
            #expect(try codes(changed.device()) == ["bad-superblock"])
            #expect(code { _ = try XFSFileSystem.open(changed.device()).begin() } == "bad-superblock")
        }
    }

    @Test(arguments: [Profile.rhel9, .rhel6]) func flagsAndCopies(_ profile: Profile) throws {
        let image = try XFSImage(profile)
        let flagged = try mended(image, group: 0, Superblock.Offset.flags, [0x10])
        #expect(try flagged.defects() != "")
        #expect(try codes(flagged.device()) == ["superblock-flags"])
        for (offset, value) in [
            (4, [UInt8(0), 0, 0x20, 0]), (124, [0]), (178, [0x10]), (191, [7]), (175, [9]), (30, [1]),
        ] {
            let changed = try mended(image, group: 1, offset, value)
            #expect(try changed.defects() != "", "byte \(offset)")
            #expect(try codes(changed.device()) == ["superblock-copy"], "byte \(offset)")
        }
    }
}
