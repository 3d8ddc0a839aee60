import DiskGraft
import Storage
import TestSupport
import Testing

/// What is known of a file system beside what its driver reads: nothing is promised of a kind that has no row.
struct FileSystemFactsTests {
    /// A root of any kind that can be opened has a module that the initramfs is asked for.
    @Test func everyDriversKindsAreKnownToLinux() throws {
        for kind in FileSystemRegistry.builtIn.drivers.flatMap({ Array($0.kinds) }) {
            let known = try #require(LinuxFileSystem.of(kind), "\(kind.rawValue)")
            #expect(!known.modules.isEmpty && known.types.contains(kind.rawValue), "\(kind.rawValue)")
            #expect(kind.content == .files && kind.mayHoldFilesOfLinux)
        }
    }

    /// Each kind has one row, and each type of fstab's mounts what has its name.
    @Test func noRowContradictsAnother() {
        let kinds = LinuxFileSystem.all.map(\.kind)
        #expect(Set(kinds).count == kinds.count)
        for row in LinuxFileSystem.all {
            #expect(LinuxFileSystem.mounted(as: row.kind.rawValue).contains { $0.kind == row.kind })
            #expect((row.kind == .swap) == row.modules.isEmpty)
        }
        #expect(LinuxFileSystem.mounted(as: "nfs").isEmpty && LinuxFileSystem.of(.unknown) == nil)
    }

    /// Those that were in nobody's hands: containers, swap and what only other systems use hold no files of Linux.
    @Test func contents() {
        let none: [VolumeIdentity.Kind] = [
            .swap, .lvm2, .mdRAID, .unknown, .ntfs, .init(rawValue: "exfat"), .init(rawValue: "apfs"),
        ]
        for kind in none { #expect(!kind.mayHoldFilesOfLinux, "\(kind.rawValue)") }
        for kind in [VolumeIdentity.Kind.luks, .btrfs, .vfat] { #expect(kind.mayHoldFilesOfLinux) }
    }
}
