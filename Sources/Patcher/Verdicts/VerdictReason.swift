package import Storage

/// What decides whether an entry boots, and whether a guest may be changed at all. Programs branch on the cases; people
/// read `sentence`.
package enum VerdictReason: Sendable, Equatable {
    /// How much it weighs.
    package enum Severity: Sendable, Equatable {
        /// To know.
        case note
        /// Nobody knows whether the entry boots.
        case doubts
        /// The entry does not boot; of a guest: nothing is to be written.
        case stops
    }

    /// The target boots with UEFI alone, and the guest has no loader for it.
    case noUEFILoader(target: String)
    /// What a machine without boot entries starts by UEFI is not there or leads nowhere, and cannot be made.
    case noFallbackLoader(program: String, FallbackState.Problem)
    /// A volume cannot take the plan's changes.
    case cannotTakeChanges(volume: String, why: String)
    /// Once the plan's changes are made, the guest is judged otherwise: why.
    indirect case afterChanges(VerdictReason)
    /// The disks boot with UEFI alone, and the target has a BIOS.
    case uefiOnly(target: String)
    /// No disk has boot code or an EFI system partition.
    case noBootCode(on: Hypervisor)
    /// The machine starts by UEFI, which has no driver for the controller.
    case firmwareWithoutDriver(Controller, target: Target)
    /// The target has no such controller.
    case controllerNotOffered(Controller, target: Target)
    /// The entry boots the Xen hypervisor.
    case bootsXen(on: Hypervisor)
    /// The kernel starts on Xen's own interface alone.
    case xenOnlyKernel(on: Hypervisor)
    /// A file that the entry loads is not on the disks.
    case fileMissing(String)
    /// A file that the entry loads is not on the volume that its loader reads.
    case fileElsewhere(String, volume: String?)
    /// The device that the loader reads the entry's files from will not be there.
    case loaderDeviceMissing(name: String, LoaderDeviceProblem)
    /// Whether that device will be there only the machine shows.
    case loaderDeviceUnknown(name: String, LoaderDeviceProblem)
    /// No kernel lies on the disks, and no menu that would start one; what /boot is, and what cannot be written there.
    case noKernel(boot: String?, Obstacle?)
    /// The root is on an array that lacks members, of which this is known.
    case arrayDegraded(String)
    /// The loader has no such command, with which the entry loads a file.
    case loaderCommandMissing(String)
    /// The root is on an array whose members were each used without the others, of which this is known.
    case arrayDivided(String)
    /// LILO's map says where the root is, not its file.
    case liloMap
    /// The initramfs lacks modules that its kernel has, and they are not added.
    case driversMissing([String], Controller, NotAdded)
    /// Linux does not unpack the initramfs whole; the title of an entry beside it whose initramfs is.
    case initramfsDamaged(InitramfsDamage, sound: String?)
    /// Something behind the initramfs is not unpacked, and not needed.
    case initramfsEndsEarly(InitramfsDamage)
    /// The rescue or fallback initramfs was asked for, and cannot be had.
    case noFallbackEntry(NoFallback)
    /// The kernel has no driver for a part of the way to the disks.
    case noSuchDriver(String, release: String?, Controller)
    /// A module that the controller needs is kept from being loaded by an argument, or by a file of the initramfs.
    case driverForbidden(String, by: String, Controller)
    /// The kernel leaves the disks alone without an argument that it is not given.
    case needsArgument(String, Controller)
    /// A name that only an initramfs understands, and there is none.
    case rootNeedsInitramfs(String)
    /// The root's name stands for nothing.
    case rootUnresolved(String, UnresolvedReason)
    /// What names the root is a variable that only the running loader sets.
    case rootNotTold(String)
    /// No argument names the root, and the initramfs knows it from nowhere else.
    case rootNotNamed
    /// An argument has the root mounted as what it is not.
    case rootTypeWrong(String, kind: VolumeIdentity.Kind)
    /// The root's name stands for several volumes.
    case rootShared(String, volumes: [String])
    /// The entry's menu is left over: the loader reads another.
    case menuNotInUse
    /// The entry boots the Xen hypervisor and is left as it is.
    case keepsXenEntry
    /// The entry's arguments are in an environment block that was not read.
    case argumentsElsewhere
    /// The same, and what can be read names devices that must change.
    case argumentsUnreadable
    /// An argument makes the initramfs wait for what stands for nothing.
    case argumentUnresolved(String, UnresolvedReason)
    /// A row of the fstab that the boot waits for stands for nothing.
    case rowStopsBoot(mountPoint: String, String, UnresolvedReason)
    /// What the boot waits for has a number of the device mapper's for its name, or is made of what has.
    case numberedDevice(place: String, UnresolvedReason)
    /// A mount unit that local-fs.target requires stands for nothing.
    case unitStopsBoot(path: String, String, UnresolvedReason)
    /// The boot goes on without a tree that most of the system needs.
    case treeMissing(place: String, String, UnresolvedReason)
    /// A filter of LVM's hides the physical volumes, by their names on the target.
    case hiddenByFilter(String, path: String, devices: [String])
    /// A copy of such a configuration, or of mdadm's, in the initramfs hides what the root lies on.
    case hiddenByCopy(path: String, image: String, devices: [String])
    /// LVM's devices file hides physical volumes of a logical volume that a row mounts for which the boot waits.
    case hiddenByDevicesFile(mountPoint: String, path: String, volumes: [String])
    /// A row of the fstab that the boot waits for mounts a volume of a group that lacks physical volumes.
    case groupIncomplete(mountPoint: String, String)
    /// The root, or what a row mounts that the boot waits for, is in a volume group of which a copy is attached too.
    case groupDoubled(mountPoint: String, String)
    /// A row of the fstab that the boot waits for mounts an XFS whose UUID another one has that is mounted too.
    case sharedXFS(mountPoint: String, volumes: [String])
    /// An argument has the initramfs reach for a disk over the network.
    case awaitsTarget(String)
    /// Neither a BIOS's loader nor Linux sees the partitions of a disk: its first partition table is damaged.
    case tableDamaged(disk: Int)
    /// The same, and some firmware mends it.
    case tableMended(disk: Int)
    /// A row of the fstab that the boot waits for mounts a volume that is damaged, and why.
    case volumeDamaged(mountPoint: String, volume: String, why: String)

    /// What the user said of a disk contradicts the guest.
    case statedWrongly(UnresolvedReason)
    /// What the user said of a network card cannot be done.
    case cardNotChanged(card: String, Sentence)
    /// A swap area holds a suspended system.
    case suspended(volume: String)
    /// A mount whose files may name devices cannot be read.
    case unreadableMount(path: String, volume: String, kind: VolumeIdentity.Kind)
    /// A file of the boot's configuration cannot be read, and why.
    case unreadableFile(path: String, why: String)
    /// The same, and it is more than is read of any guest.
    case moreThanIsRead(path: String, why: String)
    /// A file holds names that must change, and cannot be changed itself.
    case unwritableNames(path: String, Obstacle)
    /// A file that is made from another holds names that must change.
    case generatedFile(path: String, GeneratedFile)
    /// The menu is on an EFI system partition that cannot be read.
    case unreadableMenu(path: String, volume: String)
    /// The menu was not found: the fstab mounts a /boot that cannot be told.
    case bootUnresolved(String, UnresolvedReason)
    /// There are kernels, but no loader that is known.
    case unknownLoader
    /// A name cannot be told now, and would be taken for a volume once the others are replaced: what shows that it is none
    /// would be gone.
    case wouldBeTakenFor(volume: String, name: String, path: String, line: Int, UnresolvedReason)
    /// A name cannot be told, and is what the target calls another volume, which would be taken in its place.
    case wouldMeanAnother(volume: String, name: String, path: String, line: Int, UnresolvedReason)
    /// What is changed in a file would not be the last change.
    case wouldChangeAgain(path: String)
    /// No entry that would boot by itself can.
    indirect case defaultCannot(title: String, VerdictReason, on: Hypervisor)

    /// How much it weighs.
    package var severity: Severity {
        switch self {
        case .loaderDeviceUnknown, .rootNotTold, .numberedDevice, .treeMissing, .arrayDegraded, .arrayDivided,
            .volumeDamaged,
            .groupIncomplete,
            .groupDoubled,
            .sharedXFS, .awaitsTarget, .tableMended:
            .doubts
        case .keepsXenEntry, .argumentsElsewhere, .rootShared, .menuNotInUse, .initramfsEndsEarly: .note
        default: .stops
        }
    }
}
