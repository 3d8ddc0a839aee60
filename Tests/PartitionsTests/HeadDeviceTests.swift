internal import Storage
internal import TestSupport
internal import Testing

@testable internal import Partitions

/// What the drivers are asked over, whose head was read once.
struct HeadDeviceTests {
    @Test(arguments: [0, 512, 4096, 70_000]) func aDeviceWithAKnownHead(_ count: Int) throws {
        let directory = try TemporaryDirectory()
        let contents = SeededBytes.block(70_000, seed: 9)
        let path = try directory.write("disk", contents)
        try BlockDeviceSuite.reads(
            HeadDevice(try fileDevice(path), head: Array(contents[..<count])), contents)
    }
}
