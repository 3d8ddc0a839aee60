internal import Appliances
internal import HostIO
internal import ImageFormats
internal import Machines
internal import Patcher
internal import Storage

extension GuestMigration {
    /// A description of the new machine.
    struct MachineText {
        var language: MachineLanguage
        var path: String
        var text: String
    }

    /// Throws `misuse` where a description is wanted that no machine of the target is made from, or not with such disks.
    func requireDescribable(_ target: Target, _ outputs: [Output]) throws(StorageError) {
        let isStream = conversion.options.last { $0.key == "subformat" }.map { $0.value == "streamOptimized" }
        if descriptions.contains(.ovf) {
            for output in outputs where try format(of: output.path, target: target) != .vmdk {
                throw .misuseOfPlan(
                    .disksOfAnotherLanguage,
                    "an OVF's disks are streamOptimized VMDKs, and \(output.path.hostBytes.shellText) is none"
                )
            }
            guard isStream ?? true, !descriptions.contains(.vmx) else {
                throw .misuseOfPlan(
                    .disksOfAnotherLanguage,
                    "an OVF's disks are streamOptimized VMDKs, and a .vmx has none of these; make the one or the other"
                )
            }
        }
        guard isStream != true || !descriptions.contains(.vmx) else {
            throw .misuseOfPlan(
                .disksOfAnotherLanguage,
                "no machine of VMware's runs from a streamOptimized disk: what a .vmx names is of another subformat"
            )
        }
        for language in descriptions where !language.targets.contains(target.name) {
            let others = MachineLanguage.allCases.filter { $0.targets.contains(target.name) }.map(\.rawValue)
            let those =
                others.isEmpty
                ? "no language here describes those" : "those are described by \(others.alternatives)"
            throw .misuseOfPlan(
                .languageOfAnotherTarget,
                "\(language.rawValue) describes machines of \(language.targets.alternatives), not of \(target.name); \(those)"
            )
        }
    }

    /// The descriptions of the machine that has the outputs for disks. `files`: where they lie now, for their lengths; nil
    /// before they are made.
    func texts(
        of new: NewMachine, _ outputs: [Output], _ devices: [any BlockDevice], files: [String]?,
        _ target: Target
    ) throws(StorageError) -> [MachineText] {
        guard !descriptions.isEmpty, let first = outputs.first else { return [] }
        let directory = HostDirectory.absolutePath(HostPath.directory(of: first.path))
        let stem = Self.stem(of: HostPath.name(of: first.path))
        var disks: [Machine.Disk] = []
        for (index, output) in outputs.enumerated() {
            let format = try self.format(of: output.path, target: target)
            var disk = Machine.Disk(file: HostPath.name(of: output.path), format: format.rawValue)
            disk.byteCount = devices[index].byteCount.roundedUp(
                to: try ImageProbe.driver(for: format).sizeUnit)
            if let files { disk.fileByteCount = try HostFile.open(files[index], locking: .ignore).byteCount }
            disks.append(disk)
        }
        let machine = try new.machine(named: stem, disks)
        var texts: [MachineText] = []
        for language in descriptions where !texts.contains(where: { $0.language == language }) {
            let path = "\(HostPath.directory(of: first.path))/\(stem).\(language.suffix)"
            guard !outputs.contains(where: { HostDirectory.isSame($0.path, path) }) else {
                throw StorageError(
                    .misuse, OutputCode.sameNameTwice,
                    "a disk and the description of its machine would have one name",
                    path: path)
            }
            let text = try language.text(of: machine, in: directory)
            texts.append(MachineText(language: language, path: path, text: text))
            guard language == .ovf, let files else { continue }
            texts.append(
                MachineText(
                    language: language, path: String(path.dropLast(4)) + ".mf",
                    text: try Self.manifest(text, HostPath.name(of: path), files, outputs)))
        }
        return texts
    }

    /// The manifest of an OVF and its disks, which lie in `files` now.
    private static func manifest(
        _ text: String, _ name: String, _ files: [String], _ outputs: [Output]
    ) throws(StorageError) -> String {
        let digest = try Digest(.sha256)
        digest.update(Array(text.utf8).span8)
        var lines = [Manifest.Line(algorithm: .sha256, name: name, digest: digest.finish())]
        for (file, output) in zip(files, outputs) {
            lines.append(
                Manifest.Line(
                    algorithm: .sha256, name: HostPath.name(of: output.path),
                    digest: try Digest.of(try HostFile.open(file, locking: .ignore), .sha256)))
        }
        return String(decoding: Manifest(lines: lines).bytes, as: UTF8.self)
    }

    private static func stem(of name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }
}

extension PendingOutput {
    /// A small text, complete and durable, to be published.
    static func text(
        _ text: String, at path: String, protected: [any ByteFile]
    ) throws(StorageError) -> PendingOutput {
        let output = try PendingOutput(path, companions: [], protected: protected, holding: protected)
        do throws(StorageError) {
            let file = try HostFile.create(output.path)
            try file.write(Array(text.utf8).span8, at: 0)
            try file.flush()
            return output
        } catch {
            output.discard()
            throw output.named(error)
        }
    }
}
