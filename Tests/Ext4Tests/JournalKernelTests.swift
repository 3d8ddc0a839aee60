import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// The power cuts of JournalCommitTests, judged by a kernel's mount. Needs root and loop devices, so it runs only
/// when Tests/Scripts/crash-sweep-kernel.sh asks for it.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["DISKGRAFT_KERNEL_JUDGE"] == "1",
        "run Tests/Scripts/crash-sweep-kernel.sh as root"),
    .serialized)
struct JournalKernelTests {
    /// Contents of the files after the kernel has mounted and unmounted the image, and e2fsck's word on what it left.
    private func judge(_ image: [UInt8]) throws -> (contents: [[UInt8]], check: Tool.Result) {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("image", image)
        let point = directory.path("mnt")
        try Tool.run("mkdir", [point])
        try Tool.run("mount", ["-o", "loop", path, point])
        let contents = try JournalCommitTests.files.map { try fileBytes(point + $0) }
        try Tool.run("umount", [point])
        return (contents, try Tool.run("e2fsck", ["-fn", path], expect: nil))
    }

    @Test(arguments: JournalCommitTests.profiles)
    func theKernelSeesOldOrNew(_ profile: JournalCommitTests.Profile) throws {
        let edit = try JournalCommitTests.edit(profile)
        let device = MemoryDevice(edit.before)
        _ = try JournalCommitTests.commit(edit, to: device)
        let sweep = CrashSweep(initial: edit.before, events: device.events)
        try sweep.forEachState(subsets: 6, seed: 23) { state in
            let (contents, check) = try judge(state.image)
            #expect(check.status == 0, "\(state.label): \(check.text)")
            switch state.epoch {
            case 0: #expect(contents == edit.oldContents, "\(state.label)")
            case 1: #expect(contents == edit.oldContents || contents == edit.newContents)
            default: #expect(contents == edit.newContents, "\(state.label)")
            }
        }
    }

    @Test(arguments: JournalCommitTests.profiles)
    func theKernelSeesTheNewDuringOurReplay(_ profile: JournalCommitTests.Profile) throws {
        let edit = try JournalCommitTests.edit(profile)
        let dirty = try JournalRecoveryTests.dirty(edit)
        let device = MemoryDevice(dirty)
        try Ext4FileSystem.open(device).recovery()?.writes.commit(to: device)
        let sweep = CrashSweep(initial: dirty, events: device.events)
        try sweep.forEachState(subsets: 4, seed: 29) { state in
            let (contents, check) = try judge(state.image)
            #expect(check.status == 0, "\(state.label): \(check.text)")
            #expect(contents == edit.newContents, "\(state.label)")
        }
    }
}
