/// Why a device that a loader looks on will not be there, or nobody knows whether it will.
package enum LoaderDeviceProblem: Sendable, Hashable {
    /// A disk behind the last.
    case noDisk(given: Int)
    /// The disk (0 is the first given; nil: whichever it is) has no such partition.
    case noPartition(disk: Int?, number: Int)
    /// All of the disk (0 is the first given) is no file system: it holds partitions.
    case holdsPartitions(disk: Int)
    /// No disk has anything of LVM.
    case noLogicalVolumes
    /// No disk has members of an array.
    case noArrays
    /// Nothing is encrypted on the disks.
    case noContainers
    /// A floppy disk or a CD.
    case noMedium
    /// Slices of BSD's, of which no disk has any.
    case noSlices
    /// No volume has the UUID that the command looks for.
    case noBearer
    /// A disk behind a controller that GRUB's module of that name drives.
    case ownDriver(String)
    /// The network.
    case network
    /// What GRUB makes itself while it runs.
    case madeByLoader
    /// A name that tells nothing here.
    case noSuchName

    /// For people.
    package var words: String {
        switch self {
        case .noDisk(let given): given == 1 ? "only one disk was given" : "\(given) disks were given"
        case .noPartition(let disk?, let number): "disk \(disk + 1) has no partition \(number)"
        case .noPartition(nil, let number): "no disk has a partition \(number)"
        case .noLogicalVolumes: "no disk has logical volumes"
        case .holdsPartitions(let disk): "disk \(disk + 1) holds partitions"
        case .noArrays: "no disk is a member of an array"
        case .noContainers: "nothing on the disks is encrypted"
        case .noMedium: "that is a floppy disk or a CD, which is none of the given disks"
        case .noSlices: "no disk has slices of BSD's"
        case .noBearer: "no volume of the given disks has that UUID"
        case .ownDriver(let driver):
            "that is a disk behind a controller which GRUB's own driver \(driver) must find"
        case .network: "that is the network"
        case .madeByLoader: "that is made by GRUB while it runs"
        case .noSuchName: "that is no name of a disk that is known here"
        }
    }

    /// What a user can do about a device that will not be there.
    package var remedy: String {
        switch self {
        case .noDisk: "give that disk too, in its place, or name the right one in the menu in the guest first"
        default: "name the right one in the menu in the guest first"
        }
    }

    /// Nobody here can tell whether it will be there, behind that controller.
    func isDoubt(behind controller: Controller) -> Bool {
        switch self {
        case .ownDriver(let driver): GRUBDeviceKind.controllers(of: driver).contains(controller)
        case .network, .madeByLoader, .noSuchName: true
        case .noDisk, .noPartition, .holdsPartitions, .noLogicalVolumes, .noArrays, .noContainers, .noMedium,
            .noSlices, .noBearer:
            false
        }
    }
}
