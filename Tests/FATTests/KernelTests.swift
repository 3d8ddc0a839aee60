import FAT
import Foundation
import Storage
import TestSupport
import Testing

/// Seeded series of operations, between which the kernel's vfat works on with the volume. Needs root, loop devices and
/// vfat: Tests/Scripts/fat-kernel.sh.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["DISKGRAFT_KERNEL_JUDGE"] == "1",
        "needs root and loop devices"), .serialized)
struct KernelTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let rounds = Int(environment["DISKGRAFT_SERIES_ROUNDS"] ?? "") ?? 4
    private static let steps = Int(environment["DISKGRAFT_SERIES_STEPS"] ?? "") ?? 150

    @Test(arguments: Profile.all + [.fat32Large], 1...3)
    func theKernelSeesTheSame(_ profile: Profile, _ seed: UInt64) throws {
        var bytes = try profile.make()
        var model = TreeModel(
            seed: seed, blockSize: profile.clusterSize, capabilities: FATDriver.capabilities)
        model.isForeign = { $0.hasPrefix("/theirs") }
        let directory = try TemporaryDirectory()
        let point = directory.path("mnt")
        try Tool.run("mkdir", [point])
        for round in 0..<Self.rounds {
            let device = MemoryDevice(bytes)
            let transaction = try FATFileSystem.open(device).begin()
            for _ in 0..<Self.steps { try model.step(transaction, transaction.rootDirectory) }
            try transaction.prepare().commit()
            #expect(try Judge.defects(device.contents) == "", "round \(round)")
            let image = try directory.write("image", device.contents)
            try Tool.run("mount", ["-t", "vfat", "-o", "loop,utf8", image, point])
            do {
                try model.check(treeAt: point)
                try Tool.run("sh", ["-c", Self.work, point])
            } catch {
                try Tool.run("umount", [point])
                throw error
            }
            try Tool.run("umount", [point])
            bytes = try fileBytes(image)
            #expect(try Judge.defects(bytes) == "", "round \(round), after the kernel")
            try model.check(FATFileSystem.open(MemoryDevice(bytes)))
        }
    }

    private static let work = """
        cd "$0" && mkdir -p theirs && for i in 1 2 3 4 5 6 7 8 9; do head -c ${i}000 /dev/urandom > "theirs/A file of theirs $i.txt"
        done && mv 'theirs/A file of theirs 3.txt' theirs/x3 && rm theirs/*[468].txt && sync -f .
        """
}
