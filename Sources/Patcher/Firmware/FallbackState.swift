/// What a machine without boot entries of its own finds on an EFI system partition: `\EFI\BOOT\BOOTX64.EFI`, or its like of
/// another machine, and what lies behind it.
package struct FallbackState: Sendable, Equatable {
    /// Why it leads nowhere.
    package indirect enum Problem: Sendable, Equatable {
        /// No program has the name.
        case missing
        /// No program has the name, and what could be put there leads nowhere: the program, and why.
        case nothingToPut(String, Problem)
        /// One of shim's helpers stands in the place of a loader.
        case startsNoSystem(String, EFILoader.Kind)
        /// A program that would be started is none that firmware starts.
        case damaged(String, PEImage.Fault)
        /// shim starts fallback.efi, which finds no list and resets the machine, for ever.
        case resetsForever
        /// shim starts fallback.efi, whose list names a program that is not there.
        case listNamesMissing(String)
        /// The next program is not there.
        case nextMissing(String)
        /// GRUB goes to a configuration that is not there.
        case configurationMissing(String)
        /// GRUB's configuration offers nothing.
        case configurationEmpty(String)
        /// GRUB looks for its menu on a volume that no disk has.
        case volumeMissing(String)
        /// systemd-boot finds no entry.
        case noEntries
    }

    /// The programs in the order in which they are started.
    package var programs: [EFILoader] = []
    /// Why the last of them starts nothing; nil where nothing shows that.
    package var problem: Problem?
    /// The firmware's own machine.
    private let machine: PEImage.Machine

    /// Follows the firmware.
    init(_ partition: EFISystemPartition, _ machine: PEImage.Machine) {
        self.machine = machine
        problem = follow(partition)
    }

    private var suffix: String { machine.suffix.uppercased() }

    private mutating func follow(_ partition: EFISystemPartition) -> Problem? {
        guard let first = partition.loader("BOOT\(suffix).EFI", in: "BOOT") else { return .missing }
        if let damage = start(first) { return damage }
        guard first.kind == .shim else { return menu(of: first, partition) }
        guard let fallback = partition.fallbackProgram(of: first) else {
            return goOn(behind: first, in: "BOOT", partition)
        }
        if let damage = start(fallback) { return damage }
        let named = partition.lists(for: machine).flatMap { list in
            list.programs.map { (list.folder.uppercased(), $0) }
        }
        guard let (folder, program) = named.first else { return .resetsForever }
        guard let next = partition.loader(program.uppercased(), in: folder) else {
            return .listNamesMissing(program)
        }
        if let damage = start(next) { return damage }
        return next.kind == .shim ? goOn(behind: next, in: folder, partition) : menu(of: next, partition)
    }

    /// Takes note of a program; what keeps firmware from starting it.
    private mutating func start(_ program: EFILoader) -> Problem? {
        programs.append(program)
        return program.fault(on: machine).map { .damaged(program.path, $0) }
    }

    /// shim starts the loader beside it.
    private mutating func goOn(
        behind shim: EFILoader, in folder: String, _ partition: EFISystemPartition
    ) -> Problem? {
        guard let next = shim.loaderNames.lazy.compactMap({ partition.loader($0, in: folder) }).first
        else { return .nextMissing("grub\(suffix.lowercased()).efi") }
        return start(next) ?? menu(of: next, partition)
    }

    /// What keeps the last program from its menu.
    private func menu(of program: EFILoader, _ partition: EFISystemPartition) -> Problem? {
        switch program.kind {
        case .grub:
            switch partition.trails[program.names]?.end {
            case .fileMissing(let path)?: .configurationMissing(path)
            case .empty(let path)?: .configurationEmpty(path)
            case .volumeMissing(let name)?: .volumeMissing(name)
            case .menu?, .unknown?, nil: nil
            }
        case .systemdBoot: partition.hasEntries(for: program) == false ? .noEntries : nil
        case .mokManager, .shimFallback: .startsNoSystem(program.path, program.kind)
        default: nil
        }
    }
}

extension EFISystemPartition {
    /// What a shim in `\EFI\BOOT` starts in place of the loader, where it is there.
    func fallbackProgram(of shim: EFILoader) -> EFILoader? {
        shim.fallbackNames.lazy.compactMap { loader($0, in: "BOOT") }.first
    }
}

extension FallbackState.Problem {
    /// For people, behind the name of the program.
    package func words(_ program: String) -> String {
        switch self {
        case .missing: "\(program) is not there"
        case .nothingToPut(let path, let problem):
            "\(program) is not there, and \(problem.words(path))"
        case .startsNoSystem(let path, let kind):
            (path.uppercased() == program.uppercased() ? program : "\(program) leads to \(path), which")
                + (kind == .mokManager
                    ? " is shim's key manager, which starts no system"
                    : " is shim's fallback.efi in the place of a loader")
        case .damaged(let path, let fault):
            path.uppercased() == program.uppercased()
                ? "\(program) \(fault.words)" : "\(program) leads to \(path), which \(fault.words)"
        case .resetsForever:
            "\(program) starts fallback.efi, which finds no list of loaders and resets the machine for ever"
        case .listNamesMissing(let name):
            "\(program) starts fallback.efi, whose list names \(name), which is not there"
        case .nextMissing(let name): "\(program) starts \(name), which is not there"
        case .configurationMissing(let path):
            "\(program) leads to a GRUB whose configuration \(path) is not there"
        case .configurationEmpty(let path):
            "\(program) leads to a GRUB whose configuration \(path) has no menu and leads to none"
        case .volumeMissing(let name):
            "\(program) leads to a GRUB whose configuration looks for its menu on \(name), which no given disk has"
        case .noEntries: "\(program) is systemd-boot, and loader/entries and EFI/Linux have no entry for it"
        }
    }
}
