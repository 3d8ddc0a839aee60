import Storage
import TestSupport
import Testing

@testable import Initramfs

/// A file system that came in place of an archive, as the device that a driver opens.
struct OldRootDeviceTests {
    @Test func bytesThatWereDecodedAreADevice() throws {
        let contents = SeededBytes.block(50_001, seed: 2)
        try BlockDeviceSuite.reads(OldRootDevice(contents), contents)
    }
}
