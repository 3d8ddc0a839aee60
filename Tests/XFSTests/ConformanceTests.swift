import Storage
import TestSupport
import Testing
import XFS

/// The suite that every file system has to hold.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct ConformanceTests {
    private static func subject(_ profile: Profile) -> FileSystemSubject {
        FileSystemSubject(
            name: profile.name, driver: XFSDriver.self, unit: profile.blockSize, isAtomic: true,
            make: { try XFSImage(profile, files: $0).bytes() },
            defects: { try XFSImage($0).defects() }, repaired: { try WritingTests.recovered($0) })
    }

    static let subjects = [subject(.rhel7), subject(.rhel10), subject(.tinyBlocks), subject(.largeSectors)]

    @Test(arguments: subjects) func recognition(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).recognition()
    }

    @Test(arguments: subjects) func reading(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).reading()
    }

    @Test(arguments: subjects) func series(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).series(seed: 1)
    }

    @Test(arguments: subjects) func refusals(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).refusals()
    }

    @Test(arguments: subjects) func powerCuts(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).powerCuts()
    }

    @Test(arguments: subjects) func capabilities(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).capabilities()
    }
}
