internal import HostIO
internal import ImageFormats
public import Machines
public import Patcher
public import Storage

/// Converts and patches in one pass. The sources are opened for reading only; the patches lie in an overlay that
/// the conversion reads through.
public struct GuestMigration: Sendable {
    /// Format, options, progress and cancellation of the conversion of each disk.
    public var conversion: DiskConversion
    /// Copy the disks as they are, whether or not the guest can be judged or patched.
    public var leavesUnpatched = false

    /// The languages in which the new machine is described, in a file each beside the disks.
    public var descriptions: [MachineLanguage] = []

    /// The archive that takes all disks, with a description of the machine; nil: a file for each.
    public var appliance: ApplianceFormat?

    /// Makes a migration.
    public init(conversion: DiskConversion = DiskConversion()) { self.conversion = conversion }

    /// One disk, or one description of the machine, that was made.
    public struct Output: Encodable, Sendable {
        /// The source image; nil of a description.
        public var source: String?
        /// The new file.
        public var path: String
        /// The language of a description; nil of a disk.
        public var language: MachineLanguage?
        /// The names of the further files of a disk that lie beside it (a VMDK's extents); nil where it is one file.
        public var companions: [String]?
    }

    /// The outputs of a migration to `destination`: a file for one source, a directory for several (or when one
    /// exists under that name).
    ///
    /// The format is the conversion's, else the destination's suffix, else the target's default among the formats
    /// that can be made.
    public func outputs(
        for guest: Guest, to destination: String, target: Target
    ) throws(StorageError) -> [Output] {
        if let appliance {
            try requirePackable(appliance, target)
            return applianceOutputs(appliance, for: guest, to: destination)
        }
        try target.requireFormat()
        let isDirectory = HostDirectory.isDirectory(destination)
        guard guest.images.count > 1 || isDirectory || destination.hostBytes.last == UInt8(ascii: "/") else {
            try PendingOutput.requireDirectory(of: destination)
            return guest.images.map { Output(source: $0.path, path: destination) }
        }
        guard isDirectory else {
            let what = "the destination is a directory that exists"
            throw StorageError(
                .misuse, OutputCode.notADirectory,
                guest.images.count > 1 ? "with several disks \(what)" : "with a slash at its end \(what)",
                path: destination)
        }
        let suffix = (conversion.format ?? target.defaultFormat ?? .raw).suffix
        var outputs: [Output] = []
        for image in guest.images {
            let name = image.stem ?? DiskSources.stem(of: HostPath.name(of: image.path))
            let path = "\(Self.withoutSlashes(destination))/\(name).\(suffix)"
            guard !outputs.contains(where: { $0.path.hostBytes == path.hostBytes }) else {
                throw StorageError(
                    .misuse, OutputCode.sameNameTwice,
                    "two disks would be called \(name).\(suffix); rename one", path: destination)
            }
            outputs.append(Output(source: image.path, path: path))
        }
        return outputs
    }

    /// A directory's path without slashes behind it; "" for the root.
    private static func withoutSlashes(_ path: String) -> String {
        String(hostBytes: path.hostBytes.reversed().drop { $0 == UInt8(ascii: "/") }.reversed())
    }

    /// What is to be said of the outputs' formats: a sentence where the target opens no such disks.
    public func formatWarnings(
        for guest: Guest, to destination: String, target: Target
    ) throws(StorageError) -> [String] {
        guard target.insistsOnFormats, appliance == nil else { return [] }
        var warnings: [String] = []
        for output in try outputs(for: guest, to: destination, target: target) {
            let format = try format(of: output.path, target: target)
            guard !target.imageFormats.contains(format.rawValue) else { continue }
            warnings.append(
                "\(output.path.hostBytes.shellText): \(target.name) opens \(target.imageFormats.alternatives) alone, and this is a \(format.rawValue)"
            )
        }
        return warnings
    }

    func format(of path: String, target: Target) throws(StorageError) -> ImageFormat {
        if conversion.format == nil, ImageFormat(suffixOf: path) == nil, let format = target.defaultFormat {
            return format
        }
        return try conversion.targetFormat(for: path)
    }

    /// Makes the plan for `options`, applies it to an overlay and converts every disk. Calls `show` with the plan
    /// before anything is made. Throws `refused` when a guest cannot boot on the target; nothing is made then.
    public func run(
        _ guest: Guest, to destination: String, _ options: PlanOptions,
        show: (GuestPlan) -> Void = { _ in }
    ) throws(StorageError) -> [Output] {
        let outputs = try outputs(for: guest, to: destination, target: options.target)
        try requireDescribable(options.target, outputs)
        let overlays = guest.devices.map { OverlayDevice($0) }
        if leavesUnpatched { return try convert(overlays, of: guest, to: outputs, options, nil) }
        let view = try guest.seen(through: overlays)
        let plan = try view.plan(options)
        show(plan)
        if let refusal = plan.refusal {
            throw StorageError(
                .refused, PlanCode.cannotBoot, "nothing is written: \(refusal)",
                path: guest.images.first?.path)
        }
        if !plan.isEmpty {
            try PlanExecution(view).run(plan)
            let after = try guest.seen(through: overlays).planned(options)
            guard after.isEmpty, after.refusal == nil else {
                throw StorageError(
                    .io, PlanCode.notIdempotent,
                    "the patched guest \(after.refusal.map { "cannot be judged to boot: \($0)" } ?? "still needs changes")",
                    path: guest.images.first?.path)
            }
        }
        return try convert(overlays, of: guest, to: outputs, options, plan)
    }

    /// What a VMDK says of the controller that it lies behind, where that is another one than a new VMDK says and the user says
    /// nothing. VMware itself writes "lsilogic" for all others.
    static func adapterType(
        _ disk: Machine.Disk, _ options: [(key: String, value: String)]
    ) -> [(key: String, value: String)] {
        guard !options.contains(where: { $0.key == "adapter_type" }) else { return [] }
        switch disk.controller?.kind {
        case .ide: return [("adapter_type", "ide")]
        case .buslogic: return [("adapter_type", "buslogic")]
        default: return []
        }
    }

    private func convert(
        _ overlays: [OverlayDevice], of guest: Guest, to outputs: [Output], _ options: PlanOptions,
        _ plan: GuestPlan?
    ) throws(StorageError) -> [Output] {
        let target = options.target
        let sources = guest.devices.flatMap(\.hostFiles) + guest.images.flatMap(\.containers)
        let machine = NewMachine(
            source: guest.machine?.machine, target: target, plan: plan?.plans.first,
            controller: options.controller, isSamePlatform: guest.machine?.hypervisor == target.hypervisor,
            addresses: options.cardAddresses)
        if let appliance, let path = outputs.first?.path {
            try pack(appliance, overlays, of: guest, to: path, machine)
            return outputs
        }
        // What has no words is said before anything is made.
        _ = try texts(of: machine, outputs, overlays, files: nil, target)
        // All disks are complete before the first appears; an error on the way discards them all.
        var pending: [PendingOutput] = []
        var made: [Output] = []
        let places = try machine.machine(named: "", outputs.map { Machine.Disk(file: $0.path) }).disks
        for (index, (overlay, output)) in zip(overlays, outputs).enumerated() {
            var conversion = conversion
            let format = try self.format(of: output.path, target: target)
            conversion.format = format
            if format == .vmdk { conversion.options += Self.adapterType(places[index], conversion.options) }
            if descriptions.contains(.ovf), !conversion.options.contains(where: { $0.key == "subformat" }) {
                conversion.options.append(("subformat", "streamOptimized"))
            }
            if format == target.defaultFormat {
                let named = Set(conversion.options.map(\.key))
                // What the user says of the format's shape comes first.
                if named.isDisjoint(with: ["subformat", "profile"]) {
                    conversion.options += target.imageOptions.map { ($0.key, $0.value) }
                }
            }
            let copy = try conversion.copy(overlay, to: output.path, protected: sources)
            if let name = copy.names.first(where: { name in pending.contains { $0.names.contains(name) } }) {
                throw StorageError(
                    .misuse, OutputCode.sameNameTwice,
                    "two disks would have a file called \(HostPath.name(of: name).hostBytes.shellText); rename one",
                    path: output.path)
            }
            pending.append(copy)
            var output = output
            output.companions = copy.companions.isEmpty ? nil : copy.companions
            made.append(output)
        }
        let texts = try texts(of: machine, outputs, overlays, files: pending.map(\.path), target)
        for text in texts {
            pending.append(try PendingOutput.text(text.text, at: text.path, protected: sources))
        }
        for output in pending { try output.publish() }
        return made + texts.map { Output(path: $0.path, language: $0.language) }
    }
}
