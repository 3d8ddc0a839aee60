import Foundation
import Storage
import TestSupport
import Testing

@testable import XFS

/// Changes to volumes whose damage has right checksums: an error before anything is written, or a change that
/// xfs_repair finds no worse than what was there. Never a trap, and an end.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct ChangeFuzzTests {
    /// Damages and changes a profile; a script asks for more.
    static let rounds = Int(ProcessInfo.processInfo.environment["DISKGRAFT_FUZZ_ROUNDS"] ?? "") ?? 40
    static let seed = UInt64(ProcessInfo.processInfo.environment["DISKGRAFT_FUZZ_SEED"] ?? "") ?? 23
    /// One of so many changes is judged.
    static let judged = Int(ProcessInfo.processInfo.environment["DISKGRAFT_FUZZ_JUDGED"] ?? "") ?? 5

    @Test(arguments: [Profile.rhel10, .rhel7, .rhel9, .smallBlocks, .tinyBlocks])
    func changesToDamagedVolumes(_ profile: Profile) throws {
        let image = try FuzzTests.image(profile)
        var damage = try MendedDamage(image.bytes(), seed: Self.seed)
        var random = SeededRandom(Self.seed + 1)
        var outcomes: [String: Int] = [:]
        let clock = ContinuousClock()
        for round in 0..<Self.rounds {
            let device = try damage.next()
            var writes: OrderedWrites?
            let spent = clock.measure {
                let outcome = code {
                    let volume = try XFSFileSystem.open(device)
                    let transaction = try volume.begin()
                    for _ in 0..<Int.random(in: 1...6, using: &random) {
                        try Self.change(transaction, of: volume, &random)
                    }
                    let prepared = try transaction.prepare()
                    writes = (prepared as? PreparedXFSChange)?.writes
                    try prepared.commit()
                }
                outcomes[outcome, default: 0] += 1
                #expect(writes == nil || outcome == "none", "round \(round): \(outcome) after writing began")
            }
            #expect(spent < .seconds(20), "round \(round)")
            // Judging takes longer than changing: some of those that went through.
            guard let writes, outcomes["none", default: 0] % Self.judged == 1 % Self.judged else { continue }
            let before = try XFSImage(image.path, with: [damage.last])
            guard try before.defects() == "" else { continue }
            let after = try XFSImage(before.path, with: writes.phases.flatMap(\.writes))
            #expect(try after.defects() == "", "round \(round)")
            outcomes["judged", default: 0] += 1
        }
        #expect(outcomes.count > 3 && outcomes["none", default: 0] > 0, "\(outcomes)")
    }

    /// One change somewhere in the tree.
    private static func change(
        _ transaction: XFSTransaction, of volume: XFSFileSystem, _ random: inout SeededRandom
    ) throws {
        let folders = ["short", "block", "leaf", "node", ""]
        let folder = folders.randomElement(using: &random) ?? ""
        let directory = try volume.find(folder) ?? volume.rootDirectory
        let number = Int.random(in: 0..<300, using: &random)
        let old = Array("entry-\(number)".utf8)
        let new = Array("new-\(number)-\(String(repeating: "x", count: number % 200))".utf8)
        let attributes = NewFileAttributes(permissions: 0o644)
        let size = [0, 100, 5000, 70_000, 400_000].randomElement(using: &random) ?? 0
        let file = try volume.find(["file", "many"].randomElement(using: &random) ?? "file")
        switch Int.random(in: 0..<12, using: &random) {
        case 0:
            _ = try transaction.createFile(
                new, in: directory, contents: TreeModel.contents(size), attributes: attributes)
        case 1: _ = try transaction.createDirectory(new, in: directory, attributes: attributes)
        case 2, 3: try transaction.remove(old, in: directory)
        case 4: try transaction.rename(old, in: directory, to: new, in: volume.rootDirectory)
        case 5: if let file { try transaction.link(file, as: new, in: directory) }
        case 6:
            _ = try transaction.createSymbolicLink(
                new, in: directory, target: new + new, attributes: attributes)
        case 7: if let file { try transaction.replaceContents(of: file, with: TreeModel.contents(size)) }
        case 8:
            if let file { try transaction.write(TreeModel.contents(size), to: file, at: UInt64(number) * 40) }
        case 9:
            if let file {
                try transaction.setExtendedAttribute(
                    Array("user.name\(number % 130)".utf8), of: file,
                    to: number % 3 == 0 ? nil : TreeModel.contents(number * 3))
            }
        case 10: if let file { try transaction.truncate(file, to: UInt64(size / 2)) }
        default: if let file { try transaction.setAttributes(of: file, AttributeChange(permissions: 0o600)) }
        }
    }
}
