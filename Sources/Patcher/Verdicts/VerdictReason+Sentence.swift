internal import Storage

extension VerdictReason {
    /// For people.
    package var sentence: Sentence {
        switch self {
        case .noUEFILoader(let target):
            "\(target) boots with UEFI of 64 bits, and the guest has no loader for that on an EFI system partition; \(remedy: .choose(target: .hyperv)) has a BIOS"
        case .noFallbackLoader(let program, let problem):
            "a machine with an empty variable store starts \(program) alone, and \(problem.words(program)); nothing on the EFI system partition could be put there: install the loader for removable media (grub-install, bootctl) in the running guest"
        case .cannotTakeChanges(let volume, let why): "\(volume) cannot take the changes: \(why)"
        case .afterChanges(let reason): "once the plan's changes are made, \(reason.sentence)"
        case .uefiOnly(let target):
            "the disks boot with UEFI alone (no boot code for a BIOS), and \(target) has a BIOS; \(remedy: .choose(target: .hypervGeneration2)) has UEFI"
        case .noBootCode(let hypervisor):
            "no disk has boot code in its first sector or a loader on an EFI system partition, so that \(hypervisor.title) finds nothing to start: give the disk that holds them too, if there is one; \(remedy: .choose(target: .xenserver)) starts such a guest by pygrub; elsewhere run grub-install in it first"
        case .firmwareWithoutDriver(let controller, let target):
            "the disks boot with UEFI, and that of \(target.hypervisor.title) (OVMF, as distributions build it) finds no disk behind \(controller.rawValue); it does behind \(target.controllers.filter(target.startsByUEFI).map(\.rawValue).joined(separator: ", "))"
        case .controllerNotOffered(let controller, let target):
            "\(target.name) has no \(controller.rawValue) controller, only \(target.controllers.map(\.rawValue).joined(separator: ", "))"
        case .bootsXen(let hypervisor):
            "it boots the Xen hypervisor, which is not supported inside a guest of \(hypervisor.title)"
        case .xenOnlyKernel(let hypervisor):
            "its kernel is built for Xen's own interface alone and cannot start on \(hypervisor == .xenserver ? "a XenServer guest with emulated disks" : hypervisor.title)"
        case .fileMissing(let path): "\(path) is not on the disks, or empty"
        case .fileElsewhere(let path, let volume?):
            "\(path) is not on \(volume), where its loader looks for it"
        case .fileElsewhere(let path, nil):
            "\(path) leads to a file only where the running system mounts the volumes: its loader counts paths from the root of one volume, and no volume has that path"
        case .loaderDeviceMissing(let name, let problem):
            "its loader looks for the files on \(name), by the count of the firmware, and \(problem.words); \(problem.remedy)"
        case .loaderDeviceUnknown(let name, let problem):
            "its loader looks for the files on \(name), and \(problem.words): whether it will be there only a start shows"
        case .noKernel(let boot, let obstacle):
            "no kernel was found where loaders look for one (/boot\(boot.map { ", which is \($0)," } ?? "") is empty, or its volume was not given), and no boot menu\(obstacle.map { "; \($0.sentence)" } ?? ""): give the disk that holds them too, or install a kernel and its boot loader in the guest"
        case .loaderCommandMissing(let name):
            "the GRUB that starts there has no command \(name): write \(GRUBCommandWord.common[name] ?? "another") in its place"
        case .liloMap: "LILO's map holds the old disk's device number; run lilo in the guest or install GRUB"
        case .driversMissing(let names, let controller, let why):
            Self.missing(names, controller, why)
        case .initramfsDamaged(let damage, let sound):
            "\(damage.sentence); make it anew in the running guest (update-initramfs, dracut, mkinitcpio)\(sound.map { ", or make “\($0)” the default there, whose initramfs is sound" } ?? "")"
        case .initramfsEndsEarly(let damage): damage.sentence
        case .noFallbackEntry(let problem):
            "\(problem.words); \(remedy: .drivers(.auto)) finds another way where there is one"
        case .noSuchDriver(let what, let release, let controller):
            "no such driver in \(release.map { "/lib/modules/\($0)" } ?? "its modules"): its kernel has none for \(what), which \(controller.rawValue) needs"
        case .driverForbidden(let name, let by, let controller):
            "\(by) keeps \(name) from being loaded, which \(controller.rawValue) needs: take it out"
        case .needsArgument(let argument, let controller):
            "its kernel leaves the disks behind \(controller.rawValue) alone without the argument \(argument)"
        case .rootNeedsInitramfs(let name): "root=\(name) needs an initramfs, and the entry has none"
        case .rootUnresolved(let name, let reason): "root=\(name): \(reason.sentence)"
        case .arrayDegraded(let what):
            "\(what): whether its initramfs starts the array without the others only a start shows; give the disks of the others too"
        case .arrayDivided(let what):
            "\(what), and their contents may differ: which of them the machine starts is chance; leave the disk that is out of date, or the copy, out of it"
        case .rootNotTold(let text):
            "root=\(text) is made of a variable that only the running loader sets: whether it names the root only a start shows"
        case .rootTypeWrong(let argument, let kind):
            "\(argument) has the root mounted as what it is not: it holds \(kind.rawValue)"
        case .rootNotNamed: "its arguments have no root=, and its initramfs looks for what that names"
        case .rootShared(let name, let volumes):
            "root=\(name) is not unique: \(volumes.joined(separator: ", ")) have it, and which of them becomes the root is chance; leave the copy out, or give it another UUID or label"
        case .menuNotInUse: "this menu is left over from another loader and is not read"
        case .keepsXenEntry: "it boots the Xen hypervisor first; the entry is kept"
        case .argumentsElsewhere:
            "its arguments are a variable ($kernelopts of grubenv, or one of a file that load_env reads) that was not found or read: see to root= there with grub2-editenv"
        case .argumentsUnreadable:
            "its arguments are a variable ($kernelopts of grubenv, or one of a file that load_env reads) that was not found or read, and may hold names that must change; \(Self.closedMenuRemedy)"
        case .argumentUnresolved(let argument, let reason):
            "the initramfs waits for \(argument): \(reason.sentence)"
        case .rowStopsBoot(let mountPoint, let name, let reason):
            "the boot would stop at \(mountPoint): \(name) of /etc/fstab cannot be found (\(reason.sentence)); \(Self.remedy(ofRow: reason))"
        case .numberedDevice(let place, let reason):
            "the boot waits for \(place), and whether it finds the right volume is not known: \(reason.sentence)"
        case .unitStopsBoot(let path, let name, let reason):
            "the boot would stop at \(path), which local-fs.target requires: \(name) cannot be found (\(reason.sentence)); \(reason.isContradiction ? "correct the unit in the guest first" : "give its disk too"), or let the target want the unit in place of requiring it"
        case .treeMissing(let place, let name, let reason):
            "the boot goes on without \(place), which most of the system needs: \(name) cannot be found (\(reason.sentence)); give its disk too"
        case .hiddenByFilter(let filter, let path, let devices):
            "the root is a logical volume, and \(filter) of \(path) keeps LVM from looking at \(devices.joined(separator: ", ")), where it lies on the target: let these names in there"
        case .hiddenByCopy(let path, let image, let devices) where devices.isEmpty:
            "the root is a logical volume, and \(path) in \(image) has no row by which the initramfs looks at its disks there, only identifiers that the old machine gave them, or those of others: make it anew in the running guest without that file before"
        case .hiddenByCopy(let path, let image, let devices):
            "the root is put together from \(devices.joined(separator: ", ")) on the target, which \(path) in \(image) keeps the initramfs from looking at: make it anew in the running guest without these names, or choose a controller behind which the disks keep theirs"
        case .hiddenByDevicesFile(let mountPoint, let path, let volumes):
            "the boot waits for \(mountPoint), a logical volume, and no row of \(path) has LVM look at \(volumes.joined(separator: ", ")), where its group lies: add it with lvmdevices in the running guest, or take the file away"
        case .groupIncomplete(let mountPoint, let group):
            "the boot waits for \(mountPoint), and \(group): not every system activates what there is of one; give all disks of the guest"
        case .groupDoubled(let mountPoint, let group):
            "\(mountPoint) is a logical volume, and \(group): LVM activates no such group, or takes one of the two by chance; leave the copy out of the new machine, or give it other UUIDs there (vgimportclone)"
        case .sharedXFS(let mountPoint, let volumes):
            "the boot waits for \(mountPoint), and \(volumes.joined(separator: " and ")) have one UUID: Linux mounts no second XFS of a UUID without the option nouuid; give one another UUID (with xfs_admin), or its row the option nofail"
        case .awaitsTarget(let argument):
            "\(argument) has the initramfs reach for a disk over the network: where the new machine does not find it, the start waits for it, or stops; take it out, unless it is meant"
        case .tableDamaged(let disk):
            "the first partition table of disk \(disk + 1) is damaged: GRUB and Linux do not look at the one at its end, and find no partition; write it anew first (check, with its repair)"
        case .tableMended(let disk):
            "the first partition table of disk \(disk + 1) is damaged, and Linux does not look at the one at its end: some firmware writes it anew, some does not; write it anew first (check, with its repair)"
        case .volumeDamaged(let mountPoint, let volume, let why):
            "the boot waits for \(mountPoint), and \(volume) is damaged (\(why)): check its file system, or give its row in /etc/fstab the option nofail"
        case .statedWrongly(let reason): reason.sentence
        case .cardNotChanged(let card, let reason):
            "what was said of the network card \(card) cannot be done: \(reason)"
        case .suspended(let volume):
            "\(volume) holds a suspended system: start the guest and shut it down first"
        case .unreadableMount(let path, let volume, let kind):
            "\(path) lies on \(volume) (\(kind.rawValue)), which cannot be read, and may hold names that must change; \(Self.closedMenuRemedy)"
        case .unwritableNames(let path, let obstacle):
            "\(path) has names that must change, and \(obstacle.sentence); \(obstacle.restriction == nil ? "" : "or ")\(Self.closedMenuRemedy)"
        case .generatedFile(let path, let file):
            "\(path) has names that must change, and is made by \(file.system): \(file.remedy), then copy the disk with \(remedy: .convert)"
        case .unreadableFile(let path, let why):
            "\(path) cannot be read (\(why)), so that names in it that must change would stay: repair its file system first"
        case .moreThanIsRead(let path, let why):
            "\(path) is not read (\(why)), so that names in it that must change would stay: make it smaller in the guest first"
        case .unreadableMenu(let path, let volume):
            "the boot menu was not found, and may lie on \(volume) (\(path)), which cannot be read; it may hold names that must change; \(Self.closedMenuRemedy)"
        case .bootUnresolved(let name, let reason):
            "the boot menu was not found: /boot is \(name), and \(reason.sentence)"
        case .unknownLoader:
            "the guest's boot loader is none that is known here: its configuration was not found; give its root= a UUID by hand, or install GRUB in the guest"
        case .wouldBeTakenFor(let volume, let name, let path, let line, let reason):
            "\(name) in line \(line) of \(path) cannot be told (\(reason.sentence)), and would be taken for \(volume) once the other names are replaced"
        case .wouldMeanAnother(let volume, let name, let path, let line, let reason):
            "\(name) in line \(line) of \(path) cannot be told (\(reason.sentence)), and is what the target calls \(volume), which would be taken in its place\(reason.isContradiction ? "; correct the file in the guest first" : "")"
        case .wouldChangeAgain(let path): "\(path) would have to be changed once more after this change"
        case .defaultCannot(let title, let reason, let hypervisor):
            "the guest cannot boot on \(hypervisor.title): “\(title)”: \(reason.sentence)"
        }
    }

    private static func remedy(ofRow reason: UnresolvedReason) -> String {
        switch reason {
        case .otherRoot, .severalRoots: return "correct the row in the guest first"
        default: break
        }
        return reason.isContradiction
            ? "correct the row in the guest first, or give it the option nofail"
            : "give its disk too, or the row the option nofail"
    }

    private static func missing(_ names: [String], _ controller: Controller, _ why: NotAdded) -> Sentence {
        let list = names.joined(separator: ", ")
        let head: Sentence = "its initramfs lacks \(list) for \(controller.rawValue)"
        switch why {
        case .unwanted: return "\(head); \(remedy: .drivers(.auto)) adds them"
        case .besideGeneral:
            return
                "\(head): an entry with the drivers of any machine boots by itself; make its initramfs anew there, or \(remedy: .drivers(.overlay)) adds them"
        case .noInitramfs:
            return
                "\(list) for \(controller.rawValue) would have to come from an initramfs, and the entry has none: make one in the running guest"
        case .impossible(let reason): return "\(head), and they cannot be added: \(reason)"
        case .noRoom(let directory, let needed, let free, let controllers, let hasFallback):
            let short = needed - min(needed, free)
            let others = controllers.reduce(into: Sentence("")) { text, other in
                text = "\(text)\(text == "" ? "" : ", ")\(remedy: .controller(other))"
            }
            let fallback: Sentence = hasFallback ? "; \(remedy: .fallbackEntry) needs no room" : ""
            let other: Sentence = controllers.isEmpty ? "" : "; no room is needed with \(others)"
            return
                "\(head), and \(directory) has no room for them: \(needed) bytes are needed, \(free) are free, \(short) are missing\(other)\(fallback)"
        }
    }

    private static let closedMenuRemedy: Sentence =
        "give its entries UUID= names in the running guest, then copy the disk with \(remedy: .convert)"
}
