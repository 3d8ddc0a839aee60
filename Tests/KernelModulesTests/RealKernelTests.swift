import Codecs
import Foundation
import KernelModules
import Storage
import TestSupport
import Testing

/// Unpacked kernels.
private enum RealKernels {
    /// Folders with lib/modules/RELEASE below, whose indexes depmod has made.
    static let roots = (ProcessInfo.processInfo.environment["DISKGRAFT_KERNELS"] ?? "")
        .split(separator: ":").map(String.init)
}

/// Whole trees of real kernels, beside kmod. Tests/Scripts/kernel-modules.sh fetches them and runs this.
@Suite(.enabled(if: !RealKernels.roots.isEmpty, "DISKGRAFT_KERNELS names no unpacked kernels"))
struct RealKernelTests {
    private static func tree(_ root: String, _ store: (any ModuleStore)? = nil) throws -> ModuleTree {
        let releases = try FileManager.default.contentsOfDirectory(atPath: root + "/lib/modules")
        return try ModuleTree(
            release: try #require(releases.sorted().first), in: store ?? FolderStore(root))
    }

    private static func shell(_ script: String, _ arguments: [String], input: String? = nil) throws -> String
    {
        try Tool.run("bash", ["-c", script, "bash"] + arguments, input: input).text
    }

    /// The order of loading, for every module, is modprobe's.
    @Test(arguments: RealKernels.roots) func modulesLoadInTheOrderOfModprobe(_ root: String) throws {
        let tree = try Self.tree(root)
        let lines = try #require(try tree.dependencyIndex()).lines
        #expect(lines.count > 100)
        let output = try Self.shell(
            """
            while read -r name; do echo "= $name"; modprobe -C /dev/null -d "$1" -S "$2" -n --show-depends "$name"; done
            """, [root, tree.release], input: lines.map { $0.module.name + "\n" }.joined())
        var expected: [String: [String]] = [:]
        var name = ""
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words[0] == "=" {
                name = String(words[1])
            } else {
                let file =
                    words[0] == "builtin" ? String(words[1]) : try #require(ModuleName.ofFile(words[1]))
                let entry = "\(words[0]) \(file)"
                if expected[name]?.contains(entry) != true { expected[name, default: []].append(entry) }
            }
        }
        var soft = 0
        for line in lines {
            let order = try tree.loadOrder(of: line.module).map { target in
                switch target {
                case .module(let module): "insmod \(module.name)"
                case .builtin(let name): "builtin \(name)"
                }
            }
            #expect(order == expected[line.module.name], "\(line.module.name)")
            if try order.count > tree.closure(of: line.module).count { soft += 1 }
        }
        #expect(soft > 5)
    }

    /// What every module says of itself is what modinfo shows.
    @Test(arguments: RealKernels.roots) func modulesSayWhatModinfoShows(_ root: String) throws {
        let tree = try Self.tree(root)
        let lines = try #require(try tree.dependencyIndex()).lines
        guard try Self.canRead(lines) else { return }
        let directory = try #require(tree.directory)
        let files = lines.map { "\(root)\(directory)/\($0.module.path)\n" }.joined()
        for field in ["alias", "depends", "softdep", "vermagic", "firmware", "name", "license"] {
            let output = try Self.shell("xargs -n 500 modinfo -F \"$1\"", [field], input: files)
            let shown = output.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
            var own: [String] = []
            for line in lines { own += try tree.info(of: line.module).values(field).filter { !$0.isEmpty } }
            #expect(own == shown, "\(field)")
        }
    }

    /// Every alias of every device leads to the modules that modprobe finds.
    @Test(arguments: RealKernels.roots) func devicesFindTheDriversOfModprobe(_ root: String) throws {
        let tree = try Self.tree(root)
        let layers: [TargetDevice] =
            ["ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "jfs", "f2fs"].map { .fileSystem($0) }
            + [0, 1, 5, 6, 10].map { .array(level: $0) } + [
                .luks(cipher: "aes-xts-plain64"), .deviceMapper("raid"),
            ]
        var aliases = Set((TargetDevice.all + layers).flatMap(\.routes).flatMap(\.self).flatMap(\.aliases))
        // And one that matches each of the first module's patterns.
        aliases.formUnion(try tree.aliasIndex().lines.prefix(2000).map { $0.alias.replacing("*", with: "0") })
        let sorted = aliases.filter { !$0.contains("[") }.sorted()
        let output = try Self.shell(
            """
            while read -r alias; do echo "= $alias"; modprobe -C /dev/null -d "$1" -S "$2" -R "$alias" 2>/dev/null; done; true
            """, [root, tree.release], input: sorted.map { $0 + "\n" }.joined())
        var expected: [String: [String]] = [:]
        var name = ""
        for line in output.split(separator: "\n") {
            if line.hasPrefix("= ") {
                name = String(line.dropFirst(2))
                expected[name] = []
            } else if expected[name]?.contains(String(line)) != true {
                expected[name]?.append(String(line))
            }
        }
        for alias in sorted {
            var names: [String] = []
            for target in try tree.lookUp(alias) where !names.contains(target.name) {
                names.append(target.name)
            }
            #expect(names == expected[alias], "\(alias)")
        }
    }

    /// The indexes that are written for all modules are depmod's, byte for byte.
    @Test(arguments: RealKernels.roots) func indexesOfAllModulesAreDepmods(_ root: String) throws {
        let tree = try Self.tree(root)
        let modules = try #require(try tree.dependencyIndex()).lines.map(\.module)
        let directory = try #require(tree.directory)
        for file in try tree.indexes(of: modules).files() where file.name != "modules.order" {
            #expect(isSame(file.bytes, try fileBytes("\(root)\(directory)/\(file.name)")), "\(file.name)")
        }
    }

    /// The binary indexes say what the text says.
    @Test(arguments: RealKernels.roots) func binaryIndexesSayWhatTheTextSays(_ root: String) throws {
        let tree = try Self.tree(root)
        let binary = try Self.tree(root, BinaryOnly(root))
        let lines = try #require(try tree.dependencyIndex()).lines
        #expect(try binary.dependencyIndex()?.lines == lines)
        let aliases = try Set(
            tree.aliasIndex().lines.map { AliasPattern.normalized($0.alias) + " " + $0.module })
        let others = try Set(binary.aliasIndex().lines.map { $0.alias + " " + $0.module })
        #expect(aliases == others)
        let builtin = try #require(try tree.builtinModules())
        #expect(try binary.builtinModules()?.sortedNames == builtin.sortedNames)
        let index = try BinaryIndex(fileBytes("\(root)\(try #require(tree.directory))/modules.dep.bin"))
        for line in lines {
            let values = try index.values(of: Array(line.module.name.utf8))
            #expect(
                values.first.map { String(decoding: $0.text, as: UTF8.self) }?.hasPrefix(line.module.path)
                    == true)
        }
        #expect(try index.values(of: Array("no_such_module".utf8)).isEmpty)
    }

    /// Without any index the modules themselves tell the same.
    @Test(arguments: RealKernels.roots) func modulesTellWhatMissingIndexesDid(_ root: String) throws {
        let tree = try Self.tree(root)
        let bare = try Self.tree(root, WithoutIndexes(root))
        let lines = try #require(try tree.dependencyIndex()).lines
        guard try Self.canRead(lines) else { return }
        for line in lines {
            let module = try #require(try bare.module(line.module.name))
            #expect(module == line.module)
            let own = try bare.closure(of: module)
            #expect(Set(own) == Set(try tree.closure(of: line.module)), "\(module.name)")
            for (place, each) in own.enumerated() {
                let needed = try bare.info(of: each).dependencies
                #expect(needed.allSatisfy { name in own[..<place].contains { $0.name == name } })
            }
        }
        #expect(Set(try bare.aliasIndex().lines) == Set(try tree.aliasIndex().lines))
        for device in TargetDevice.all {
            let need = try bare.need(device, holding: HeldModules())
            let other = try tree.need(device, holding: HeldModules())
            #expect(need.drivers.map(\.name) == other.drivers.map(\.name), "\(device.name)")
        }
    }

    /// For every device: nothing held, all held, and each missing module held but one.
    @Test(arguments: RealKernels.roots) func devicesLackWhatTheInitramfsDoes(_ root: String) throws {
        let tree = try Self.tree(root)
        guard try Self.canRead(try #require(try tree.dependencyIndex()).lines) else { return }
        let layers: [TargetDevice] =
            ["ext2", "ext3", "ext4", "xfs", "btrfs", "vfat"].map { .fileSystem($0) }
            + [0, 1, 5, 6, 10].map { .array(level: $0) } + [
                .luks(cipher: "aes-xts-plain64"), .deviceMapper(),
            ]
        var missing = 0
        for device in TargetDevice.all + layers {
            let need = try tree.need(device, holding: HeldModules(), machine: 62)
            if ProcessInfo.processInfo.environment["DISKGRAFT_SHOW"] != nil {
                print(device.name, device.targets, need.answer.shown)
            }
            guard case .missing(let modules) = need.answer else { continue }
            missing += 1
            let held = HeldModules(modules.map { "usr/lib/modules/x/" + $0.path })
            #expect(try tree.need(device, holding: held).answer == .present, "\(device.name)")
            for module in try modules.filter({ try !tree.isSoft($0, of: need) }) {
                let rest = HeldModules(modules.filter { $0 != module }.map(\.path))
                #expect(try tree.need(device, holding: rest).answer == .missing([module]), "\(device.name)")
            }
        }
        #expect(missing > 10)
    }

    private static func canRead(_ lines: [DependencyIndex.Line]) throws -> Bool {
        guard let compression = lines.first.flatMap({ ModuleName.compression(ofFile: $0.module.path) }) else {
            return true
        }
        return Codec.all.contains { $0.id.name == compression.codecName }
    }
}

/// A folder that seems to lack some files.
private class Hiding: ModuleStore {
    let folder: FolderStore

    init(_ root: String) { folder = FolderStore(root) }

    func hides(_ name: Substring) -> Bool { false }

    private func isHidden(_ path: String) -> Bool { path.split(separator: "/").last.map(hides) ?? false }

    func entries(of path: String) throws(StorageError) -> [ModuleStoreEntry]? { try folder.entries(of: path) }

    func byteCount(of path: String) throws(StorageError) -> UInt64? {
        isHidden(path) ? nil : try folder.byteCount(of: path)
    }

    func read(_ path: String, into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError)
        -> Int
    {
        try folder.read(path, into: &target, at: offset)
    }
}

private final class BinaryOnly: Hiding {
    override func hides(_ name: Substring) -> Bool {
        name.hasPrefix("modules.") && !name.hasSuffix(".bin") && name != "modules.softdep"
    }
}

private final class WithoutIndexes: Hiding {
    override func hides(_ name: Substring) -> Bool {
        name.hasPrefix("modules.") && !name.hasPrefix("modules.builtin") && name != "modules.order"
    }
}

extension ModuleTree {
    /// Whether a module comes with a need only because another asks for it.
    fileprivate func isSoft(_ module: KernelModule, of need: DeviceNeed) throws -> Bool {
        for driver in need.drivers where driver.origin == .missing {
            let own = try #require(try self.module(driver.name))
            if try closure(of: own).contains(module) { return false }
        }
        return true
    }
}

extension DriverAnswer {
    fileprivate var shown: String {
        switch self {
        case .present: "present"
        case .builtin: "builtin"
        case .missing(let modules): "missing " + modules.map(\.name).joined(separator: " ")
        case .noSuchDriver(let step): "no driver for " + step.title
        case .unusable(_, let error): "of no use \(error)"
        case .unreadable(let error): "unreadable \(error)"
        }
    }
}
