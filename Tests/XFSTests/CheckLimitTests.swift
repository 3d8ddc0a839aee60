import Storage
@_spi(Testing) import TestSupport
import Testing

@testable import XFS

/// What is more than a check holds in memory is said, and is no damage.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct CheckLimitTests {
    private static func findings(
        _ device: any BlockDevice, _ change: (inout XFSFileSystem.CheckLimits) -> Void = { (_) in }
    ) throws -> [String] {
        var limits = XFSFileSystem.CheckLimits()
        change(&limits)
        return try XFSFileSystem.check(device, limits: limits).map { "\($0.severity.rawValue) \($0.code)" }
    }

    @Test func whatIsMoreThanIsHeldIsNoDamage() throws {
        var files: [String: [UInt8]] = ["etc/fstab": [1]]
        for number in 0..<400 { files["many/a-rather-long-name-of-a-file-\(number)"] = [] }
        let device = try XFSImage(.rhel10, files: files).device()
        #expect(try Self.findings(device) == [])
        #expect(try Self.findings(device) { $0.heldPieces = 10 } == ["warning memory-bound"])
        #expect(try Self.findings(device) { $0.inodePages = 1 } == ["warning memory-bound"])
        #expect(try Self.findings(device) { $0.directories = 1 } == ["warning memory-bound"])
        // The rest is checked.
        #expect(try Self.findings(device) { $0.directoryBlocks = 1 } == ["note memory-bound"])
    }
}
