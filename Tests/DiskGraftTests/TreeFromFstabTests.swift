import DiskGraft
import TestSupport
import Testing

/// The tree is put together by the fstab: damage elsewhere stops no reading of files.
@Suite struct TreeFromFstabTests {
    private static let registry = FileSystemRegistry([SmallDriver.self])

    private static func disk(fstab: [UInt8]) throws -> SmallDisk {
        try SmallDisk([
            "etc/fstab": fstab, "etc/hosts": Array("127.0.0.1 localhost\n".utf8),
            "etc/redhat-release": SmallDriver.damage, "boot/grub/grub.conf": SmallDriver.damage,
        ])
    }

    private static let byLabel = Array("LABEL=root / smallfs defaults 1 1\n".utf8)

    @Test func anUnrelatedFileMayBeDamaged() throws {
        let disk = try Self.disk(fstab: Self.byLabel)
        let guest = try Guest.open([disk.path], forWriting: true, registry: Self.registry)
        // An inspection says what it could not read, and goes on.
        let said = "\(try guest.inspect())"
        #expect(said.contains("/boot/grub/grub.conf cannot be read"), "\(said)")
        let files = try guest.files()
        #expect(try files.entries(of: files.find("/etc")).count == 3)
        var hosts: [UInt8] = []
        try files.forEachPiece(of: files.find("/etc/hosts")) { hosts += $0.array(0..<$0.byteCount) }
        #expect(hosts == Array("127.0.0.1 localhost\n".utf8))
        #expect(throws: StorageError.self) {
            try files.forEachPiece(of: files.find("/boot/grub/grub.conf")) { _ in }
        }
        try guest.edit { (edit) throws(StorageError) in try edit.put(FileContents([1]), at: "/etc/hosts") }
        #expect(try guest.volume(named: nil).name == "p1")
    }

    @Test func aDamagedFstabIsAnError() throws {
        let disk = try Self.disk(fstab: SmallDriver.damage)
        let guest = try Guest.open([disk.path], registry: Self.registry)
        let error = try #require(throws: StorageError.self) { _ = try guest.files() }
        #expect(error.code == "damaged" && error.remedies == [.nameVolume])
        #expect(try guest.files(volume: "p1").entries(of: guest.files(volume: "p1").find("/etc")).count == 3)
    }

    /// What /dev/hda stands for hangs on the release: guessing could show another volume's files.
    @Test func namesThatHangOnTheReleaseNeedIt() throws {
        let disk = try Self.disk(fstab: Array("/dev/hda1 / smallfs defaults 1 1\n".utf8))
        let guest = try Guest.open([disk.path], registry: Self.registry)
        let error = try #require(throws: StorageError.self) { _ = try guest.files() }
        #expect(error.code == "damaged")
    }
}
