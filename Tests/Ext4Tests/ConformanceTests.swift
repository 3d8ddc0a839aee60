import Ext4
import Storage
import TestSupport
import Testing

/// The suite that every file system has to hold, with a journal and without.
@Suite struct ConformanceTests {
    private static func subject(_ profile: Profile, blockSize: Int) -> FileSystemSubject {
        FileSystemSubject(
            name: profile.name, driver: Ext4Driver.self, unit: blockSize, isAtomic: profile.hasJournal,
            make: { files in
                let image = try Image(
                    profile, blockSize: blockSize, files: files, byteCount: UInt64(blockSize) * 6144,
                    more: ["-N", "512"] + (profile.hasJournal ? ["-J", "size=\(blockSize / 1024)"] : []))
                return try fileBytes(image.path)
            },
            defects: { bytes in
                let directory = try TemporaryDirectory()
                let path = try directory.write("image", bytes)
                return try Image(directory: directory, path: path).defects()
            }, repaired: { try Repaired($0).bytes })
    }

    static let subjects = [
        subject(.ext3, blockSize: 1024), subject(.checksums, blockSize: 1024),
        subject(.ext2, blockSize: 1024),
        subject(.unjournaled, blockSize: 4096),
    ]

    @Test(arguments: subjects) func recognition(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).recognition()
    }

    @Test(arguments: subjects) func reading(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).reading()
    }

    @Test(arguments: subjects) func capabilities(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).capabilities()
    }

    @Test(arguments: subjects) func series(_ subject: FileSystemSubject) throws {
        for seed: UInt64 in [1, 2] { try FileSystemConformance(subject).series(seed: seed) }
    }

    @Test(arguments: subjects) func refusals(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).refusals()
    }

    @Test(arguments: subjects) func powerCuts(_ subject: FileSystemSubject) throws {
        try FileSystemConformance(subject).powerCuts()
    }
}
