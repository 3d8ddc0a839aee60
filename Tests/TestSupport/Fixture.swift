internal import Foundation

/// Guests and paths that the project's own scripts make.
public enum Fixture {
    /// The repository.
    public static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Tests/Scripts/make-guest.sh: MBR, ext3 /boot (partition 1), swap (2), ext4 root (3), all named /dev/sda*.
    public static func guest(in directory: TemporaryDirectory, name: String = "guest.img") throws -> String {
        let path = directory.path(name)
        try Tool.run("/bin/bash", [repository + "/Tests/Scripts/make-guest.sh", path])
        return path
    }

    /// The byte offsets of that guest's partitions.
    public static let bootOffset: UInt64 = 2048 * 512
    /// The swap area.
    public static let swapOffset: UInt64 = 18432 * 512
    /// The root.
    public static let rootOffset: UInt64 = 26624 * 512
    /// /boot's UUID.
    public static let bootUUID = "0b0070aa-1111-4222-8333-444455556666"
    /// The swap area's UUID.
    public static let swapUUID = "5aa95aa9-2222-4333-8444-555566667777"
    /// The root's UUID.
    public static let rootUUID = "40070001-3333-4444-8555-666677778888"

    /// The built command, beside the tests' own binary.
    public static let command: String = {
        let arguments = ProcessInfo.processInfo.arguments
        let places = [
            Bundle.main.bundlePath, (arguments[0] as NSString).deletingLastPathComponent,
            repository + "/.build/debug",
        ]
        return places.map { $0 + "/diskgraft" }.first { FileManager.default.isExecutableFile(atPath: $0) }
            ?? repository + "/.build/debug/diskgraft"
    }()

    /// Runs the built command.
    @discardableResult
    public static func diskgraft(
        _ arguments: String..., expect: ClosedRange<Int32>? = 0...0, directory: String? = nil
    ) throws -> Tool.Result {
        try Tool.run(command, arguments, directory: directory, expect: expect)
    }
}
