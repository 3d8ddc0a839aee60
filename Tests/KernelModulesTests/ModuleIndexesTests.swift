import Foundation
import KernelModules
import Storage
import TestSupport
import Testing

/// Indexes for a private tree, with depmod and modprobe as judges.
@Suite struct ModuleIndexesTests {
    @Test func indexesOfAllModulesAreDepmods() throws {
        let made = try MadeTree.usual().indexed()
        let tree = try made.tree()
        let modules = try #require(try tree.dependencyIndex()).lines.map(\.module)
        let files = try tree.indexes(of: modules.shuffled()).files()
        #expect(files.count >= 11)
        for file in files {
            let expected = try #require(made.files["\(made.directory)/\(file.name)"], "\(file.name)")
            #expect(isSame(file.bytes, expected), "\(file.name)")
        }
    }

    /// Of a part of the modules, what modprobe resolves, and what depmod makes of the same files.
    @Test(arguments: [true, false]) func indexesOfSomeModulesServeModprobe(_ isIndexed: Bool) throws {
        var made = MadeTree.usual()
        if isIndexed { made = try made.indexed() }
        let tree = try made.tree()
        var modules: [KernelModule] = []
        for name in ["virtio_scsi", "virtio_pci", "sd_mod", "ext4", "crc32c_generic"] {
            for module in try tree.closure(of: #require(try tree.module(name)))
            where !modules.contains(module) {
                modules.append(module)
            }
        }
        let scratch = try TemporaryDirectory()
        let directory = String(made.directory.dropFirst())
        for module in modules {
            try scratch.write(
                "\(directory)/\(module.path)", #require(made.files["\(made.directory)/\(module.path)"]))
        }
        let files = try tree.indexes(of: modules).files()
        for file in files { try scratch.write("\(directory)/\(file.name)", file.bytes) }
        func shown(_ name: String, _ root: String) throws -> [String] {
            try Tool.run(
                "modprobe",
                ["-C", "/dev/null", "-d", root, "-S", MadeTree.release, "-n", "--show-depends", name]
            ).text.split(separator: "\n").map {
                $0.replacing(root, with: "").trimmingCharacters(in: .whitespaces)
            }
        }
        for name in modules.map(\.name) + [
            "fs-ext4", "virtio:d00000008v00001AF4", "scsi:t-0x00", "libcrc32c",
        ] {
            let lines = try shown(name, scratch.root)
            #expect(!lines.isEmpty, "\(name)")
        }
        #expect(
            try shown("ext4", scratch.root).map { String($0.split(separator: "/").last ?? "") }
                == ["jbd2.ko", "crc32c_generic.ko", "ext4.ko"])
        #expect(throws: (any Error).self) { try shown("virtio_blk", scratch.root) }
        // depmod over the same files: the same answers.
        let judge = try TemporaryDirectory()
        try Tool.run("cp", ["-r", scratch.root + "/lib", judge.root])
        try Tool.run("depmod", ["-C", "/dev/null", "-b", judge.root, MadeTree.release])
        for name in modules.map(\.name) {
            #expect(try Set(shown(name, scratch.root)) == Set(shown(name, judge.root)), "\(name)")
        }
    }

    @Test func aSetThatLacksADependencyIsRefused() throws {
        let tree = try MadeTree.usual().tree()
        let module = try #require(try tree.module("sd_mod"))
        do {
            _ = try tree.indexes(of: [module])
            Issue.record("it was taken")
        } catch {
            #expect(error.isCode(KernelModulesCode.incompleteSet))
        }
    }
}
