import { connectGap } from "./gap";
import { connectHotspots } from "./hotspots";
import { connectPage } from "./page";
import { readData } from "./data";

document.documentElement.classList.add("js");
const data = readData();
connectGap();
connectHotspots(data.edges);
connectPage();
