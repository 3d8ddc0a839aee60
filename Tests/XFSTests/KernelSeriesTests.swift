import Foundation
import Storage
import TestSupport
import Testing

@testable import XFS

/// Seeded series of everything that can be done, judged by the kernel: it has to mount the volume without a word, show the
/// tree as it should be, change files itself and leave a volume that is sound. Needs root and loop devices:
/// Tests/Scripts/xfs-series.sh.
@Suite(.enabled(if: KernelMount.isAskedFor && XFSImage.tools, "needs root and loop devices"), .serialized)
struct KernelSeriesTests {
    @Test(arguments: Profile.all) func theKernelDoesTheSame(_ profile: Profile) throws {
        let image = try XFSImage(profile, byteCount: 64 << 20)
        let point = image.directory.path("mnt")
        var model = TreeModel(
            seed: UInt64(profile.name.utf8.count), blockSize: profile.blockSize,
            capabilities: XFSDriver.capabilities)
        model.isForeign = { $0.hasPrefix("/kernel") }
        for round in 0..<KernelMount.rounds {
            let device = MemoryDevice(try fileBytes(image.path))
            var transaction = try XFSFileSystem.open(device).begin()
            for step in 0..<KernelMount.steps {
                try model.step(transaction, transaction.rootDirectory)
                guard transaction.shouldBeCommitted || step % 40 == 39 else { continue }
                try model.check(transaction)
                try transaction.prepare().commit()
                transaction = try XFSFileSystem.open(device).begin()
            }
            try transaction.prepare().commit()
            try model.check(XFSFileSystem.open(device))
            try Data(device.contents).write(to: URL(fileURLWithPath: image.path))
            try #require(try image.defects() == "", "round \(round)")
            let said = try KernelMount.mount(image.path, at: point) {
                try model.check(treeAt: point)
                try Tool.run("sh", ["-c", Self.work, "sh", point, "\(round)"])
            }
            guard let said else { continue }
            #expect(said == "", "round \(round)")
            try #require(try image.defects() == "", "after the kernel, round \(round)")
        }
    }

    /// The power fails behind each phase of a change of several records, the last one of any length, on a new ring and on one that
    /// was written round: the kernel recovers the old tree or the new one, without a word of torn writes.
    @Test(arguments: [Profile.rhel7, .rhel9, .rhel10, .largeSectors], [false, true])
    func cutsOfSeveralRecords(_ profile: Profile, _ isRound: Bool) throws {
        for linkCount in [235, 250, 300, 420] {
            let device = try XFSImage(profile).device()
            if isRound { try LogRecordTests.writeRound(device) }
            let prepared = try LogRecordTests.severalRecords(device, linkCount: linkCount)
            try #require(prepared.writes.phases.contains { $0.name == "log begun" })
            for phase in prepared.writes.phases {
                for write in phase.writes { try device.write(write.bytes(), at: write.offset) }
                let image = try XFSImage(device.contents)
                let point = image.directory.path("mnt")
                let isNew = ["log", "home", "unmount"].contains(phase.name)
                let label: Comment = "\(linkCount) links, behind \(phase.name)"
                let said = try KernelMount.mount(image.path, at: point) {
                    let names = try FileManager.default.contentsOfDirectory(atPath: point)
                    #expect(names.count == (isNew ? linkCount : 0), label)
                }
                #expect(said == "", label)
                #expect(try image.defects() == "", label)
            }
        }
    }

    /// What the kernel does with a volume: makes, copies (sharing blocks where it can), removes and moves files of its own.
    private static let work = """
        set -e; k="$1/kernel"; mkdir -p "$k/sub"
        for i in 1 2 3 4 5 6 7 8 9; do head -c $((i * 7919 % 60000)) /dev/urandom >"$k/f$2-$i"; done
        find "$1" -xdev -type f ! -path "$k/*" | sort | head -n 6 | while read -r f; do cp --reflink=auto "$f" "$k/sub/"; done
        rm -f "$k/f$2-3" "$k/f$2-6"; mv "$k/f$2-4" "$k/sub/moved-$2"
        setfattr -n user.note -v "$(head -c 900 /dev/zero | tr '\\0' x)" "$k/f$2-5"
        if [ $(($2 % 3)) = 2 ]; then rm -rf "$k"; fi
        """
}
