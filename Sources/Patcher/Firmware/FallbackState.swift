/// What a machine without boot entries of its own finds on an EFI system partition: `\EFI\BOOT\BOOTX64.EFI`, or its like of
/// another machine, and the programs behind it.
package struct FallbackState: Sendable, Equatable {
    /// Why it leads nowhere.
    package enum Problem: Sendable, Equatable {
        /// No program has the name.
        case missing
        /// shim starts fallback.efi, which finds no list and resets the machine, for ever.
        case resetsForever
        /// shim starts fallback.efi, whose list names a program that is not there.
        case listNamesMissing(String)
        /// The next program is not there.
        case nextMissing(String)
    }

    /// The programs in the order in which they are started.
    package var programs: [EFILoader] = []
    /// Why the last of them is not the loader; nil where it is.
    package var problem: Problem?

    /// Follows the firmware.
    init(_ partition: EFISystemPartition, _ machine: PEImage.Machine) {
        let suffix = machine.suffix.uppercased()
        guard let first = partition.loader("BOOT\(suffix).EFI", in: "BOOT") else {
            problem = .missing
            return
        }
        programs = [first]
        let fallback =
            partition.loader("FB\(suffix).EFI", in: "BOOT")
            ?? partition.loader("FALLBACK.EFI", in: "BOOT")
        guard first.kind == .shim || first.kind == .other && fallback != nil else { return }
        guard let fallback else {
            problem = goOn(behindShimIn: "BOOT", partition, suffix)
            return
        }
        programs.append(fallback)
        let named = partition.lists.flatMap { list in list.programs.map { (list.folder.uppercased(), $0) } }
        guard let (folder, program) = named.first else {
            problem = .resetsForever
            return
        }
        guard let next = partition.loader(program.uppercased(), in: folder) else {
            problem = .listNamesMissing(program)
            return
        }
        programs.append(next)
        if next.kind == .shim { problem = goOn(behindShimIn: folder, partition, suffix) }
    }

    /// shim starts the loader beside it.
    private mutating func goOn(
        behindShimIn folder: String, _ partition: EFISystemPartition, _ suffix: String
    ) -> Problem? {
        guard
            let next = partition.loader("GRUB\(suffix).EFI", in: folder)
                ?? partition.loader("GRUB.EFI", in: folder)
        else { return .nextMissing("grub\(suffix.lowercased()).efi") }
        programs.append(next)
        return nil
    }
}

extension FallbackState.Problem {
    /// For people, behind the name of the program.
    package func words(_ program: String) -> String {
        switch self {
        case .missing: "\(program) is not there"
        case .resetsForever:
            "\(program) starts fallback.efi, which finds no list of loaders and resets the machine for ever"
        case .listNamesMissing(let name):
            "\(program) starts fallback.efi, whose list names \(name), which is not there"
        case .nextMissing(let name): "\(program) starts \(name), which is not there"
        }
    }
}
