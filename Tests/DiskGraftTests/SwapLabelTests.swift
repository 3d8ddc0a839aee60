import DiskGraft
import Storage
import TestSupport
import Testing

/// Labels of swap areas, which no file system writes.
struct SwapLabelTests {
    private static let place = 1052..<1068

    /// A disk that is one swap area.
    private static func disk(_ mark: String, _ directory: TemporaryDirectory) throws -> String {
        var bytes = SeededBytes.block(1 << 20, seed: 4)
        bytes.put([UInt8](repeating: 0, count: 1024), at: 0)
        bytes.put([1, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0], at: 1024)
        bytes.put(Array(mark.utf8), at: 4096 - mark.utf8.count)
        return try directory.write("swap.raw", bytes)
    }

    @Test func aLabelIsWritten() throws {
        let directory = try TemporaryDirectory()
        let path = try Self.disk("SWAPSPACE2", directory)
        let before = try fileBytes(path)
        let guest = try Guest.open([path], forWriting: true)
        let name = try #require(guest.volumes.first?.name)
        let edit = try guest.beginEdit(volume: name)
        try edit.setLabel(Array("pages".utf8), ofVolume: name)
        try edit.commit()
        var expected = before
        expected.put(Array("pages".utf8) + [UInt8](repeating: 0, count: 11), at: Self.place.lowerBound)
        #expect(isSame(try fileBytes(path), expected))
    }

    /// The form from before 1998 has its bitmap of pages there.
    @Test func anOldAreaHasNoPlaceForOne() throws {
        let directory = try TemporaryDirectory()
        let path = try Self.disk("SWAP-SPACE", directory)
        let before = try fileBytes(path)
        let guest = try Guest.open([path], forWriting: true)
        let name = try #require(guest.volumes.first?.name)
        #expect(guest.volumes.first?.identity.kind == .swap)
        let edit = try guest.beginEdit(volume: name)
        let error = #expect(throws: StorageError.self) {
            try edit.setLabel(Array("pages".utf8), ofVolume: name)
        }
        #expect(error?.kind == .refused && error?.code == "no-label" && error?.path != nil)
        try edit.commit()
        #expect(isSame(try fileBytes(path), before))
    }

    @Test func aLongLabelIsRefused() throws {
        let directory = try TemporaryDirectory()
        let path = try Self.disk("SWAPSPACE2", directory)
        let guest = try Guest.open([path], forWriting: true)
        let name = try #require(guest.volumes.first?.name)
        let edit = try guest.beginEdit(volume: name)
        let error = #expect(throws: StorageError.self) {
            try edit.setLabel([UInt8](repeating: 65, count: 17), ofVolume: name)
        }
        #expect(error?.code == "label-too-long")
    }
}
