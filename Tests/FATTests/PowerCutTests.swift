import FAT
import Storage
@_spi(Testing) import TestSupport
import Testing

/// The power fails at every write of each kind of change, and anywhere within a phase: without an undo record the volume
/// has lost clusters at worst, and every file its old contents or its new ones.
@Suite(.enabled(if: Profile.areThere, "mkfs.vfat, fsck.vfat or mtools are missing"))
struct PowerCutTests {
    static let profiles = [
        Profile(name: "FAT12", width: 12, sectorSize: 512, sectorsPerCluster: 1, kilobytes: 360),
        Profile(name: "FAT16", width: 16, sectorSize: 512, sectorsPerCluster: 1, kilobytes: 2300),
        Profile(
            name: "small FAT32", width: 32, sectorSize: 512, sectorsPerCluster: 2, kilobytes: 1000,
            isForMtools: false),
    ]

    /// What fsck.vfat may say of a cut: what is lost or counted wrong, never of a file.
    private static let harmless = [
        "FATs differ", "Using first FAT", "Reclaimed ", "Free cluster summary wrong",
        "Orphaned long file name part", "There are differences between boot sector and its backup",
        "This is mostly harmless", "/ADDED", "Label in boot sector is", "Volume label ",
        "Leaving filesystem unchanged",
        // What goes with one of them.
        "  ",
    ]

    struct Change: Sendable, CustomStringConvertible {
        let description: String
        /// Paths of which one at least must have the contents of the first, whatever the cut.
        var survivors: [[String]] = []
        /// Whether files may be lost for a moment, with clusters that fsck.vfat gives back: those of a directory that moves,
        /// and one that is removed before it is made again.
        var mayLose = false
        let body: @Sendable (Editor) throws -> Void
    }

    private static let long =
        "a name so long that it takes many slots, more than one sector of a directory has place"
        + " for beside others, and goes on and on until there is no doubt of it at all.conf"

    static let changes: [Change] = [
        Change(description: "replace") { try $0.replace("/EFI/debian/grub.cfg", TreeModel.contents(3000)) },
        Change(description: "replace by nothing") { try $0.replace("/EFI/debian/grub.cfg", []) },
        Change(description: "create in a new directory") {
            try $0.makeDirectory("/EFI/BOOT")
            try $0.create("/EFI/BOOT/BOOTX64.EFI", TreeModel.contents(5000))
        },
        Change(description: "create, long name") { try $0.create("/EFI/\(long)", TreeModel.contents(700)) },
        Change(description: "create many") { editor in
            for index in 0..<12 { try editor.create("/EFI/debian/loader entry \(index).conf", [1, 2, 3]) }
        },
        Change(description: "remove") { try $0.remove("/EFI/debian/shimx64.efi") },
        Change(description: "remove and create", mayLose: true) {
            try $0.remove("/EFI/debian/grub.cfg")
            try $0.create("/EFI/debian/grub.cfg", TreeModel.contents(200))
        },
        Change(
            description: "rename within a sector",
            survivors: [["/EFI/debian/grub.cfg", "/EFI/debian/grub.bak"]]
        ) { try $0.rename("/EFI/debian/grub.cfg", "/EFI/debian/grub.bak") },
        Change(
            description: "rename to another directory",
            survivors: [["/EFI/debian/shimx64.efi", "/loader/Another Name.efi"]]
        ) { try $0.rename("/EFI/debian/shimx64.efi", "/loader/Another Name.efi") },
        Change(
            description: "rename over another",
            survivors: [["/EFI/debian/shimx64.efi", "/loader/loader.conf"]]
        ) { try $0.rename("/EFI/debian/shimx64.efi", "/loader/loader.conf") },
        Change(
            description: "there and back again", survivors: [["/EFI/debian/grub.cfg", "/loader/g", "/g"]]
        ) {
            try $0.rename("/EFI/debian/grub.cfg", "/loader/g")
            try $0.rename("/loader/g", "/g")
            try $0.rename("/g", "/EFI/debian/grub.cfg")
        },
        Change(description: "letters of another case", mayLose: true) {
            try $0.rename("/EFI/debian/A long name.efi", "/EFI/debian/a LONG name.efi")
        },
        Change(description: "move a directory", mayLose: true) {
            try $0.rename("/EFI/debian", "/loader/moved")
        },
        Change(description: "replace a directory", mayLose: true) {
            try $0.rename("/EFI/debian", "/loader/empty")
        },
        Change(description: "move out of what goes", survivors: [["/loader/loader.conf", "/kept"]]) {
            try $0.rename("/loader/loader.conf", "/kept")
            try $0.remove("/loader/empty")
            try $0.remove("/loader")
        },
        Change(description: "append") { editor in
            try editor.transaction.append(TreeModel.contents(5000), to: editor.find("/added"))
        },
        Change(description: "label") { try $0.transaction.setLabel(Array("CUT".utf8)) },
    ]

    private static let files: [String: [UInt8]] = [
        "EFI/debian/grub.cfg": TreeModel.contents(1100), "EFI/debian/shimx64.efi": TreeModel.contents(9000),
        "EFI/debian/A long name.efi": TreeModel.contents(600), "loader/loader.conf": TreeModel.contents(40),
        "added": TreeModel.contents(700),
    ]

    @Test(arguments: profiles, changes)
    func lostClustersAtWorst(_ profile: Profile, _ change: Change) throws {
        let device = MemoryDevice(try profile.make(Self.files, label: "OLD"))
        try FATFileSystem.change(device) { try $0.makeDirectory("/loader/empty") }
        let initial = device.contents
        let old = try TestedTree(initial)
        let transaction = try FATFileSystem.open(device).begin()
        try change.body(Editor(transaction: transaction))
        let prepared = try #require(try transaction.prepare() as? PreparedFATChange)
        var judged: Set<[UInt8]> = []
        let end = try PowerCut.replay(prepared.writes, onto: initial, subsets: 2, seed: 7) { _ in }
        let new = try TestedTree(end)
        #expect(try Judge.defects(end) == "")
        let judge = CutJudge(old: old.files, new: new.files, change: change)
        try PowerCut.replay(prepared.writes, onto: initial, subsets: 2, seed: 7) { state in
            if judged.insert(state.image).inserted { try judge.judge(state) }
        }
    }

    /// What has to be true of every state that a cut leaves.
    private struct CutJudge {
        let old: [String: [UInt8]]
        let new: [String: [UInt8]]
        let change: Change

        func judge(_ state: CrashSweep.State) throws {
            let place = "\(state.label), phase \(state.phase ?? "none")"
            let unexpected = try Judge.defects(state.image).split(separator: "\n").filter { !isHarmless($0) }
            #expect(unexpected == [], "\(place)")
            let found = try TestedTree(state.image).files
            for (path, contents) in found {
                #expect(isKnown(contents, at: path), "\(place): \(path)")
            }
            let mayGo = Set(change.survivors.joined())
            for path in old.keys where new[path] != nil && !change.mayLose && !mayGo.contains(path) {
                #expect(found[path] != nil, "\(place): \(path) is gone")
            }
            for paths in change.survivors {
                let contents = old[paths[0]]
                #expect(paths.contains { found[$0] == contents }, "\(place): \(paths[0]) is nowhere")
            }
        }

        private func isHarmless(_ line: Substring) -> Bool {
            PowerCutTests.harmless.contains { line.hasPrefix($0) }
        }

        private func isKnown(_ contents: [UInt8], at path: String) -> Bool {
            if contents == old[path] || contents == new[path] { return true }
            guard let moved = change.survivors.first(where: { $0.contains(path) }) else { return false }
            return contents == old[moved[0]]
        }
    }

    private struct TestedTree {
        let files: [String: [UInt8]]
        init(_ bytes: [UInt8]) throws {
            files = try FATTests.files(of: FATFileSystem.open(MemoryDevice(bytes)))
        }
    }
}
