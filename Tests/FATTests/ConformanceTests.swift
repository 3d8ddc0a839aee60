import FAT
import Storage
import TestSupport
import Testing

/// The suite that every file system has to hold.
@Suite(.enabled(if: Profile.areThere, "mkfs.vfat, fsck.vfat or mtools are missing"))
struct ConformanceTests {
    private static func subject(_ profile: Profile) -> FileSystemSubject {
        FileSystemSubject(
            name: profile.name, driver: FATDriver.self, unit: profile.clusterSize, isAtomic: false,
            make: { try profile.make($0) }, defects: Judge.defects, repaired: Judge.repaired)
    }

    static let small = Profile.all.map(subject)
    static let subjects = small + [subject(.fat32Large)]

    @Test(arguments: subjects) func recognition(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).recognition()
    }

    @Test(arguments: subjects) func reading(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).reading()
    }

    @Test(arguments: subjects) func capabilities(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).capabilities()
    }

    @Test(arguments: small) func series(_ subject: FileSystemSubject) throws {
        for seed: UInt64 in [1, 2, 3] { try FileSystemConformance(subject).series(seed: seed) }
    }

    @Test(arguments: subjects) func refusals(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).refusals()
    }

    @Test(arguments: small) func powerCuts(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).powerCuts()
    }
}
