import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// The series of RandomSeriesTests, judged by a kernel that mounts the volume and works on it between the rounds.
/// Needs root and loop devices, so it runs only when Tests/Scripts/series-kernel.sh asks for it.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["DISKGRAFT_KERNEL_JUDGE"] == "1",
        "run Tests/Scripts/series-kernel.sh as root"),
    .serialized)
struct SeriesKernelTests {
    @Test(arguments: RandomSeriesTests.variants.filter { $0.blockSize <= 4096 })
    func theKernelAgrees(_ variant: RandomSeriesTests.Variant) throws {
        let image = try Image(variant.profile, blockSize: variant.blockSize, more: variant.more)
        let point = image.directory.path("mnt")
        try Tool.run("mkdir", [point])
        var model = TreeModel(seed: 1, blockSize: variant.blockSize)
        for round in 0..<6 {
            let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
            let transaction = try volume.begin()
            for _ in 0..<150 { try model.step(transaction, volume.rootDirectory) }
            try transaction.prepare().commit()
            #expect(try image.defects() == "", "round \(round), before the kernel")
            try Tool.run("mount", ["-o", "loop", image.path, point])
            do {
                try model.check(treeAt: point)
                // The kernel's own allocator and directory code on what was written here.
                try Tool.run(
                    "sh",
                    [
                        "-c",
                        "cd \"$0\" && for d in $(find . -type d); do for i in 1 2 3 4 5 6 7 8 9; do "
                            + "head -c 5000 /dev/zero > $d/kernel_made_this_file_$i; done; done; sync; "
                            + "find . -name 'kernel_made*' -delete", point,
                    ])
            } catch {
                try Tool.run("umount", [point])
                throw error
            }
            try Tool.run("umount", [point])
            #expect(try image.defects() == "", "round \(round), after the kernel")
        }
        try model.check(Ext4FileSystem.open(FileDevice(image.path)))
    }
}
